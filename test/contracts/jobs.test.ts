import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  batchesOf,
  countJobs,
  jobsOf,
  rangesOf,
  type JobRange,
  type JobRef,
} from '../../src/contracts/jobs.js';
import { OPERATION_NAMES } from '../../src/contracts/channels.js';

const kind = fc.record({
  operation: fc.constantFrom(...OPERATION_NAMES),
  settleWithinMs: fc.constantFrom(60_000, 900_000),
  canary: fc.boolean(),
});

/** Ranges whose numbers follow one another, as in a plan. */
const plannedRanges: fc.Arbitrary<JobRange[]> = fc
  .array(
    fc
      .tuple(kind, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 1_000 }))
      .chain(([of, jobs, rowsPerJob]) =>
        fc
          .integer({ min: 1, max: rowsPerJob })
          .map((rest) => ({ ...of, jobs, rowsPerJob, rows: (jobs - 1) * rowsPerJob + rest })),
      ),
    { maxLength: 8 },
  )
  .map((parts) => {
    let next = 1;
    return parts.map((part) => {
      const firstJob = next;
      next += part.jobs;
      return { firstJob, ...part };
    });
  });

/** Any jobs: with gaps between their numbers, and jobs that are not full in between. */
const anyJobs: fc.Arbitrary<JobRef[]> = fc
  .array(fc.tuple(kind, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })), {
    maxLength: 40,
  })
  .map((parts) => {
    let jobNumber = 0;
    return parts.map(([of, rows, step]) => ({ ...of, rows, jobNumber: (jobNumber += step) }));
  });

const all = (ranges: readonly JobRange[]): JobRef[] => [...jobsOf(ranges)];

describe('ranges of jobs', () => {
  test('give back exactly the jobs that they were made of', () => {
    fc.assert(fc.property(anyJobs, (jobs) => assert.deepEqual(all(rangesOf(jobs)), jobs)));
  });

  test('are as many for a hundred million rows as for a thousand', () => {
    const ranges: JobRange[] = [
      {
        firstJob: 1,
        jobs: 100_000,
        operation: 'subscribe',
        rows: 99_999_001,
        rowsPerJob: 1_000,
        settleWithinMs: 900_000,
        canary: false,
      },
    ];
    assert.deepEqual(rangesOf(jobsOf(ranges)), ranges);
  });

  test('have as many jobs and rows as their jobs', () => {
    fc.assert(
      fc.property(plannedRanges, (ranges) => {
        const jobs = all(ranges);
        assert.equal(countJobs(ranges), jobs.length);
        assert.deepEqual(
          jobs.map(({ jobNumber }) => jobNumber),
          jobs.map((_, index) => index + 1),
        );
        const rows = (of: readonly { rows: number }[]) => of.reduce((sum, at) => sum + at.rows, 0);
        assert.equal(rows(jobs), rows(ranges));
        assert.ok(jobs.every((job) => job.rows >= 1));
      }),
    );
  });

  test('are split into batches that have all jobs in order, and no more than their size', () => {
    fc.assert(
      fc.property(plannedRanges, fc.integer({ min: 1, max: 70 }), (ranges, size) => {
        const batches = batchesOf(ranges, size);
        assert.deepEqual(batches.flatMap(all), all(ranges));
        for (const [n, batch] of batches.entries()) {
          const jobs = countJobs(batch);
          assert.ok(n < batches.length - 1 ? jobs === size : jobs >= 1 && jobs <= size);
          assert.ok(batch.length <= ranges.length);
        }
      }),
    );
  });
});
