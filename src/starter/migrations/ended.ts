import type { Phase } from '../../contracts/migration.js';

const ENDED: readonly Phase[] = ['done', 'planned', 'cancelled', 'failed'];

/**
 * Whether a run in this phase has ended: `done`, `planned`, `cancelled` or `failed`.
 *
 * @example
 * const { phase } = await consentry.migrations.progress('20260301-9f2c41aa');
 * if (!hasEnded(phase)) await consentry.migrations.cancel('20260301-9f2c41aa');
 */
export function hasEnded(phase: Phase): boolean {
  return ENDED.includes(phase);
}
