import type { Operation } from './channels.js';

/** One job: at most 1,000 rows of one operation, and one `consentJob` workflow. */
export interface JobRef {
  readonly jobNumber: number;
  readonly operation: Operation;
  readonly rows: number;
  /** From its acceptance until the last look-up of its open rows, in ms. */
  readonly settleWithinMs: number;
  /** Sent and settled before the others. */
  readonly canary: boolean;
}

/**
 * Consecutive jobs of one operation: a handful of ranges describes the jobs of a run of any size.
 * Every job is full but the last, which has the rest.
 */
export interface JobRange {
  readonly firstJob: number;
  /** Number of jobs, at least 1. */
  readonly jobs: number;
  readonly operation: Operation;
  /** Of all its jobs together. */
  readonly rows: number;
  /** Of each job but the last. */
  readonly rowsPerJob: number;
  /** Of each job: from its acceptance until the last look-up of its open rows, in ms. */
  readonly settleWithinMs: number;
  /** Sent and settled before the others. */
  readonly canary: boolean;
}

/** Describes jobs, in the order of their numbers, in as few ranges as they allow. */
export function rangesOf(jobs: Iterable<JobRef>): JobRange[] {
  const ranges: JobRange[] = [];
  for (const job of jobs) {
    const last = ranges.at(-1);
    if (last !== undefined && continues(last, job)) {
      ranges[ranges.length - 1] = { ...last, jobs: last.jobs + 1, rows: last.rows + job.rows };
    } else {
      const { jobNumber: firstJob, ...alike } = job;
      ranges.push({ firstJob, jobs: 1, ...alike, rowsPerJob: job.rows });
    }
  }
  return ranges;
}

function continues(range: JobRange, job: JobRef): boolean {
  return (
    job.jobNumber === range.firstJob + range.jobs &&
    job.operation === range.operation &&
    job.canary === range.canary &&
    job.settleWithinMs === range.settleWithinMs &&
    job.rows <= range.rowsPerJob &&
    range.rows === range.jobs * range.rowsPerJob
  );
}

/** The jobs of ranges in order, one at a time. */
export function* jobsOf(ranges: Iterable<JobRange>): Generator<JobRef> {
  for (const { firstJob, jobs, operation, rows, rowsPerJob, settleWithinMs, canary } of ranges) {
    for (let n = 0; n < jobs; n += 1) {
      const left = rows - n * rowsPerJob;
      yield {
        jobNumber: firstJob + n,
        operation,
        rows: Math.min(rowsPerJob, left),
        settleWithinMs,
        canary,
      };
    }
  }
}

export function countJobs(ranges: readonly JobRange[]): number {
  return ranges.reduce((sum, { jobs }) => sum + jobs, 0);
}

/** Splits jobs in order into batches: each has `size` of them, and the last has the rest. */
export function batchesOf(ranges: readonly JobRange[], size: number): JobRange[][] {
  const batches: JobRange[][] = [];
  let room = 0;
  for (const range of ranges) {
    for (let from = 0; from < range.jobs;) {
      if (room === 0) {
        batches.push([]);
        room = size;
      }
      const taken = Math.min(room, range.jobs - from);
      batches.at(-1)?.push(partOf(range, from, taken));
      from += taken;
      room -= taken;
    }
  }
  return batches;
}

/** So many jobs of a range, without the first `from` of them. */
function partOf(range: JobRange, from: number, jobs: number): JobRange {
  const rowsLeft = range.rows - from * range.rowsPerJob;
  return {
    ...range,
    firstJob: range.firstJob + from,
    jobs,
    rows: Math.min(jobs * range.rowsPerJob, rowsLeft),
  };
}
