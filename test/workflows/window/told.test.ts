import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DELAYS } from 'klaviyo-sandbox';
import { SUBMITTING_BATCHES } from '../../../src/contracts/limits.js';
import { MESSAGES, workflowIds } from '../../../src/contracts/names.js';
import { startHarness, type Harness } from '../../support/harness.js';
import { people } from '../../support/people.js';
import { startRun } from '../../support/runs.js';
import { TEST_TIMING } from '../../support/settings.js';
import { until } from '../phases.js';

const JOBS_PER_BATCH = 2;
const BATCHES = 3 * SUBMITTING_BATCHES;
const JOBS = BATCHES * JOBS_PER_BATCH;

let harness: Harness;
before(async () => {
  harness = await startHarness({
    // Nothing is applied while the test lasts, so no job and no batch ends.
    sandbox: {
      rateLimitFactor: 1_000,
      delays: { ...DELAYS.fast, subscribeLive: [600_000, 600_000] },
    },
  });
});
after(() => harness.close());

test('every job is submitted though none ends: the reader tells the run how far they are', async () => {
  const { migrations } = harness.consentry;
  const { id: listId } = harness.sandbox.account.createList({
    name: 'Window',
    opt_in_process: 'single_opt_in',
  });
  const id = await startRun(harness, people(JOBS), {
    listId,
    rowsPerJob: 1,
    jobsPerBatch: JOBS_PER_BATCH,
    timing: { ...TEST_TIMING, confirmWithinMs: 600_000 },
  });
  await until('all submits', async () => (await migrations.totals(id)).jobs.submitted === JOBS);
  assert.deepEqual((await migrations.totals(id)).jobs, {
    total: JOBS,
    submitted: JOBS,
    settled: 0,
  });
  const history = await harness.client.workflow.getHandle(workflowIds.migration(id)).fetchHistory();
  const told = (history.events ?? []).filter(
    (event) => event.workflowExecutionSignaledEventAttributes?.signalName === MESSAGES.pastSubmit,
  );
  assert.ok(told.length > 0, 'it was told before the end of a turn');
  assert.ok(told.length <= BATCHES, `it was told ${told.length} times`);
});
