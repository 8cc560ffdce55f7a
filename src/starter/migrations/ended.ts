import type { Phase } from '../../contracts/migration.js';

const ENDED: readonly Phase[] = ['done', 'planned', 'cancelled', 'failed'];

export function hasEnded(phase: Phase): boolean {
  return ENDED.includes(phase);
}
