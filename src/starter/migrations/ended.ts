import type { Phase } from '../../contracts/migration.js';

/** A run ended otherwise than by finishing; `failureType` as in `contracts/failures.ts`. */
export class MigrationStoppedError extends Error {
  override readonly name = 'MigrationStoppedError';
  constructor(
    message: string,
    readonly failureType: string,
  ) {
    super(message);
  }
}

const ENDED: readonly Phase[] = ['done', 'planned', 'cancelled', 'failed'];

export function hasEnded(phase: Phase): boolean {
  return ENDED.includes(phase);
}
