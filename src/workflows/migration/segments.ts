import type { JobRef } from '../../contracts/migration.js';

/** Jobs in their order, in groups of at most `size`. */
export function segmentsOf(jobs: readonly JobRef[], size: number): JobRef[][] {
  const segments: JobRef[][] = [];
  for (let first = 0; first < jobs.length; first += size) {
    segments.push(jobs.slice(first, first + size));
  }
  return segments;
}
