import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, type WorkflowBundle } from '@temporalio/worker';
import { stopping } from '../../../src/activities/temporal/failures.js';
import type { MigrationInput } from '../../../src/contracts/migration.js';
import type { Reason } from '../../../src/contracts/outcomes.js';
import type { consentMigration } from '../../../src/workflows/index.js';
import { TEST_TIMING } from '../../support/settings.js';
import { testTemporal, uniqueName } from '../../support/stack.js';
import { planOfOne, PREFLIGHT, totalsOfOne } from '../../support/plans.js';
import { bundleWorkflows } from '../../support/temporal/workflow-bundle.js';
import { StagedWorkers } from '../../support/temporal/workers.js';

const INPUT: Omit<MigrationInput, 'migrationId'> = {
  timing: TEST_TIMING,
  batchSize: 250,
  dryRun: false,
  waitsForApproval: false,
  canary: { waitMs: 0, thenStop: false },
};
const PLAN = planOfOne({ settleWithinMs: TEST_TIMING.confirmWithinMs, canary: true });
const TOTALS = totalsOfOne({ settled: 1 });

/** Activities answer as if a canary of one row had nothing to send; how it is judged is the case. */
describe('what becomes of the rows behind a canary', () => {
  let connection: Connection;
  let native: NativeConnection;
  let namespace: string;
  let workflowBundle: WorkflowBundle;
  before(async () => {
    const temporal = await testTemporal();
    ({ namespace } = temporal);
    connection = await Connection.connect({ address: temporal.address });
    native = await NativeConnection.connect({ address: temporal.address });
    workflowBundle = await bundleWorkflows({ logger: new DefaultLogger('ERROR') });
  });
  after(async () => {
    await connection.close();
    await native.close();
  });

  /** @returns the reason that the rest of the rows got, and how Temporal shows the run */
  async function run(judge: (cancelRun: () => Promise<unknown>) => Promise<void>) {
    const migrationId = uniqueName('canary');
    const left: Reason[] = [];
    const client = new Client({ connection, namespace });
    const handle = client.workflow.getHandle(migrationId);
    const nothing = () => Promise.resolve();
    const workers = await StagedWorkers.create({
      connection: native,
      namespace,
      taskQueue: migrationId,
      workflowBundle,
      activities: {
        preflight: () => Promise.resolve(PREFLIGHT),
        readConsent: () => Promise.resolve({ rows: 1 }),
        planMigration: () => Promise.resolve(PLAN),
        notePhase: nothing,
        validateJob: () => Promise.resolve({ rows: 0 }),
        submitJob: () => Promise.resolve({ state: 'settled' }),
        settleJob: () => Promise.resolve({ outcomes: {}, readBack: null }),
        readProofs: () =>
          Promise.resolve({
            totals: TOTALS,
            pastSubmit: 0,
            complete: true,
            idle: true,
            paused: false,
            stopped: false,
            unread: null,
          }),
        judgeCanary: () => judge(() => handle.cancel()),
        stopSubmitting: nothing,
        settleLeft: ({ unsent }: { unsent: Reason }) => {
          left.push(unsent);
          return Promise.resolve({ waitMs: 0, unread: null });
        },
        finishMigration: () => Promise.resolve(TOTALS),
      },
    });
    await workers.runUntil(() =>
      client.workflow
        .execute<typeof consentMigration>('consentMigration', {
          workflowId: migrationId,
          taskQueue: migrationId,
          args: [{ migrationId, ...INPUT }],
        })
        .catch(() => undefined),
    );
    const { status } = await handle.describe();
    return { status: status.name, left };
  }

  test('that ended as planned: they are sent, and none is left', async () => {
    const { status, left } = await run(() => Promise.resolve());
    assert.deepEqual({ status, left }, { status: 'COMPLETED', left: ['cancelled_before_sending'] });
  });

  test('that did not end as planned: the canary is why', async () => {
    const { status, left } = await run(() =>
      Promise.reject(stopping('CanaryFailed', 'The canary did not end as planned.')),
    );
    assert.deepEqual({ status, left }, { status: 'FAILED', left: ['canary_failed'] });
  });

  test('that another failure kept from being judged: the run was stopped', async () => {
    const { status, left } = await run(() =>
      Promise.reject(stopping('MigrationNotFound', 'There is no such migration.')),
    );
    assert.deepEqual({ status, left }, { status: 'FAILED', left: ['migration_stopped'] });
  });

  test('that is being judged when somebody cancels: they were cancelled, nothing failed', async () => {
    const { status, left } = await run(async (cancelRun) => {
      const { cancelled, heartbeat } = Context.current();
      const beating = setInterval(() => heartbeat(), 100);
      await cancelRun();
      await cancelled.finally(() => clearInterval(beating));
    });
    assert.deepEqual({ status, left }, { status: 'CANCELLED', left: ['cancelled_before_sending'] });
  });
});
