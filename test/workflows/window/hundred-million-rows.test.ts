import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Client } from '@temporalio/client';
import {
  BATCH_SIZE,
  JOB_SIZE,
  OPEN_BATCHES,
  SUBMITTING_BATCHES,
} from '../../../src/contracts/limits.js';
import { countJobs, type JobRange } from '../../../src/contracts/jobs.js';
import { MESSAGES, workflowIds } from '../../../src/contracts/names.js';
import { until } from '../phases.js';
import { NO_DEADLINE_MS, Stages } from './staged-runs.js';

const ROWS = 100_000_000;
/** The canary's, those that submit at once, and one more. */
const BATCHES = 1 + SUBMITTING_BATCHES + 1;

/** A tenth of a real batch, so that fewer jobs have to end. A batch has its jobs as ranges too. */
const JOBS_PER_BATCH = BATCH_SIZE / 10;

const MOST_BYTES = 64 * 1_024;

/** A quarter of them suppressions, and a canary: as many ranges as a real plan has. */
const PLAN: readonly JobRange[] = [
  range({ firstJob: 1, jobs: 1, rows: 600, operation: 'subscribe', canary: true }),
  range({ firstJob: 2, jobs: 25_000, rows: 24_999_400, operation: 'suppress', canary: false }),
  range({
    firstJob: 25_002,
    jobs: 75_000,
    rows: 75_000_000,
    operation: 'subscribe',
    canary: false,
  }),
];

function range(of: Omit<JobRange, 'rowsPerJob' | 'settleWithinMs'>): JobRange {
  return { ...of, rowsPerJob: JOB_SIZE, settleWithinMs: NO_DEADLINE_MS };
}

let stages: Stages;
before(async () => {
  stages = await Stages.open();
});
after(() => stages.close());

test('a run of 100 million rows has no payload above 64 KB', { timeout: 300_000 }, async () => {
  assert.equal(
    PLAN.reduce((sum, { rows }) => sum + rows, 0),
    ROWS,
  );
  assert.ok(countJobs(PLAN) / BATCH_SIZE <= OPEN_BATCHES + 1, 'all may be open at once');
  const run = await stages.play({ jobs: PLAN, batchSize: JOBS_PER_BATCH }, async (run) => {
    await until('the canary', () => Promise.resolve(run.submitted.size === 1));
    await run.settle([1]);
    await until('the window', async () => (await run.batches()) === 1 + SUBMITTING_BATCHES);
    await run.tellPastSubmit(1 + JOBS_PER_BATCH);
    await until('one more', async () => (await run.batches()) === BATCHES);
    for (const query of [MESSAGES.progress, MESSAGES.plan]) {
      const answer = JSON.stringify(await run.handle.query(query));
      assert.ok(answer.length < MOST_BYTES / 8, `${query} has ${answer.length} bytes`);
    }
  });
  const ids = [
    ...Array.from({ length: BATCHES }, (_, n) => workflowIds.batch(run.migrationId, n + 1)),
    ...[...run.submitted].map((jobNumber) => workflowIds.job(run.migrationId, jobNumber)),
  ];
  const histories = [await run.handle.fetchHistory()];
  for (const id of ids) histories.push(await run.historyOf(id));
  const sizes = histories.flatMap(payloadSizes);
  assert.ok(sizes.length > ids.length * 5, `${sizes.length} payloads`);
  assert.ok(Math.max(...sizes) < MOST_BYTES, `one payload has ${Math.max(...sizes)} bytes`);
});

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

/** The bytes of every payload in a history, wherever it is: input, result, signal, header, memo. */
function payloadSizes(history: History): number[] {
  const sizes: number[] = [];
  const find = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
    if ('metadata' in value && 'data' in value && value.data instanceof Uint8Array) {
      sizes.push(value.data.length);
    }
    for (const inner of Object.values(value)) find(inner);
  };
  find(history);
  return sizes;
}
