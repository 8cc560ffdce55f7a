import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { workflowInterceptorModules, type TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import type { SubmitInput, SubmitResult } from '../../../src/activities/migration/submit-job.js';
import type { SettleInput, SettleResult } from '../../../src/activities/migration/settle-job.js';
import type { JobInput, MigrationTiming } from '../../../src/contracts/migration.js';
import { loadConfig } from '../../../src/runtime/config.js';
import { userFolders } from '../../../src/runtime/paths.js';
import { findTimeSkippingServer } from '../../support/temporal/time-skipping-server.js';
import type { consentJob } from '../../../src/workflows/index.js';
import { startTimeSkipping } from '../../support/temporal/time-skipping.js';
import { bundleWorkflows } from '../../support/temporal/workflow-bundle.js';

const MINUTE = 60_000;
const TIMING: MigrationTiming = {
  confirmWithinMs: 45 * MINUTE,
  appliedWithinMs: 45 * MINUTE,
  membershipWithinMs: 30 * MINUTE,
  readEveryMs: 5_000,
  readTurnMs: MINUTE,
  lostAnswerWaitMs: 3 * MINUTE,
  consentMaxAgeMs: 10 * MINUTE,
  textConsentMaxAgeMs: 2 * MINUTE,
  optOutsMaxAgeMs: 5_000,
  optOutsLateMs: 10 * MINUTE,
  suppressionWithinMs: 270 * MINUTE,
  eventsSilentMs: 2 * MINUTE,
  watchForMs: 0,
  watchFirstMs: 15 * MINUTE,
  watchLongestMs: 360 * MINUTE,
};

const config = loadConfig();
const server = await findTimeSkippingServer({ config, folders: userFolders(config) });
const skip = 'missing' in server ? `no time-skipping server: ${server.missing}` : false;

/** The waits of a job against a clock that skips them; its activities only note that they ran. */
describe('the timers of a job', { skip }, () => {
  let environment: TestWorkflowEnvironment;
  let workflowBundle: WorkflowBundle;
  before(async () => {
    if ('missing' in server) return;
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    environment = await startTimeSkipping(server.path);
    workflowBundle = await bundleWorkflows({ workflowInterceptorModules });
  });
  after(() => environment?.teardown());

  async function run(states: readonly SubmitResult['state'][]) {
    const calls: string[] = [];
    const answers = [...states];
    const began = await environment.currentTimeMs();
    const at = async () => Math.round(((await environment.currentTimeMs()) - began) / MINUTE);
    const taskQueue = `timers-${randomBytes(4).toString('hex')}`;
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowBundle,
      activities: {
        validateJob: () => Promise.resolve({ rows: 1 }),
        submitJob: async ({ readBack }: SubmitInput): Promise<SubmitResult> => {
          const what = readBack === null ? 'submit' : `resend what was lost up to call ${readBack}`;
          calls.push(`${what} at ${await at()} min`);
          return { state: answers.shift() ?? 'sent' };
        },
        settleJob: async ({ final }: SettleInput): Promise<SettleResult> => {
          calls.push(`${final ? 'last look' : 'read back'} at ${await at()} min`);
          const newest = calls.filter((call) => call.includes('submit') || call.includes('resend'));
          return { outcomes: { confirmed: 1 }, readBack: String(newest.length) };
        },
      },
    });
    const input: JobInput = {
      migrationId: 'timers',
      job: {
        jobNumber: 1,
        operation: 'subscribe',
        rows: 1,
        settleWithinMs: TIMING.confirmWithinMs,
        canary: false,
      },
      jobs: 1,
      timing: TIMING,
    };
    const result = await worker.runUntil(
      environment.client.workflow.execute<typeof consentJob>('consentJob', {
        workflowId: taskQueue,
        taskQueue,
        args: [input],
      }),
    );
    return { calls, result };
  }

  test('looks up what is open when nobody proved it within 45 minutes, and not before', async () => {
    const { calls, result } = await run(['sent']);
    assert.deepEqual(calls, ['submit at 0 min', 'last look at 45 min']);
    assert.deepEqual(result, { jobNumber: 1, outcomes: { confirmed: 1 } });
  });

  test('waits three minutes after each lost answer, reads back, and only then sends again', async () => {
    const { calls } = await run(['ambiguous', 'ambiguous', 'sent']);
    assert.deepEqual(calls, [
      'submit at 0 min',
      'read back at 3 min',
      'resend what was lost up to call 1 at 3 min',
      'read back at 6 min',
      'resend what was lost up to call 2 at 6 min',
      'last look at 51 min',
    ]);
  });

  test('does not wait where nothing was left to send', async () => {
    const { calls } = await run(['settled']);
    assert.deepEqual(calls, ['submit at 0 min', 'last look at 0 min']);
  });
});
