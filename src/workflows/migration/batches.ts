import type { JobRef } from '../../contracts/migration.js';

/** Splits jobs in order into groups of at most `size`. */
export function batchesOf(jobs: readonly JobRef[], size: number): JobRef[][] {
  const batches: JobRef[][] = [];
  for (let first = 0; first < jobs.length; first += size) {
    batches.push(jobs.slice(first, first + size));
  }
  return batches;
}
