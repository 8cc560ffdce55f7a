import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { WorkflowHandleWithSignaledRunId } from '@temporalio/client';
import { workflowInterceptorModules, type TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { jobsOf } from '../../../src/contracts/jobs.js';
import type { MigrationInput } from '../../../src/contracts/migration.js';
import { MESSAGES, workflowIds } from '../../../src/contracts/names.js';
import { loadConfig } from '../../../src/runtime/config.js';
import { userFolders } from '../../../src/runtime/paths.js';
import { findTimeSkippingServer } from '../../support/temporal/time-skipping-server.js';
import { parseCheck } from '../../../src/starter/migrations/request/parse.js';
import { timingOf } from '../../../src/starter/migrations/request/timing-settings.js';
import type { confirmationWatch, consentMigration } from '../../../src/workflows/index.js';
import { turnLength } from '../../../src/workflows/migration/proof-reader.js';
import { uniqueName } from '../../support/database.js';
import {
  registerSearchAttributes,
  startTimeSkipping,
} from '../../support/temporal/time-skipping.js';
import { planOfOne, PREFLIGHT, totalsOfOne } from '../../support/plans.js';
import { bundleWorkflows } from '../../support/temporal/workflow-bundle.js';
import { StagedWorkers } from '../../support/temporal/workers.js';

const DAY = 24 * 3_600_000;
const YEAR = 365 * DAY;

/** Temporal warns of a history of so many events, and ends one of five times as many. */
const WARNING = 10_240;

const PLAN = planOfOne({
  settleWithinMs: timingOf(parseCheck({})).confirmWithinMs,
  canary: false,
});
const TOTALS = totalsOfOne();

const config = loadConfig();
const server = await findTimeSkippingServer({ config, folders: userFolders(config) });
const skip = 'missing' in server ? `no time-skipping server: ${server.missing}` : false;

/** On a clock that skips the waits; the activities answer for an account in which nothing happens. */
describe('a run that lasts a year', { skip, timeout: 120_000 }, () => {
  let environment: TestWorkflowEnvironment;
  let workflowBundle: WorkflowBundle;
  before(async () => {
    if ('missing' in server) return;
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    environment = await startTimeSkipping(server.path);
    await registerSearchAttributes(environment);
    workflowBundle = await bundleWorkflows({ workflowInterceptorModules });
  });
  after(() => environment?.teardown());

  const eventsOf = async (workflowId: string): Promise<number> =>
    (await environment.client.workflow.getHandle(workflowId).describe()).historyLength;

  /** Starts a run and lets a test steer it to its end. */
  async function run(
    input: Pick<MigrationInput, 'waitsForApproval'>,
    steer: (run: WorkflowHandleWithSignaledRunId, jobIds: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const migrationId = uniqueName('year');
    const { client } = environment;
    const jobIds = Array.from(jobsOf(PLAN.jobs), ({ jobNumber }) =>
      workflowIds.job(migrationId, jobNumber),
    );
    let isPaused = !input.waitsForApproval;
    let isWaiting = false;
    let jobSubmitted = (): void => undefined;
    const whenJobSubmitted = new Promise<void>((resolve) => (jobSubmitted = resolve));
    const nothing = () => Promise.resolve();
    const workers = await StagedWorkers.create({
      connection: environment.nativeConnection,
      taskQueue: migrationId,
      workflowBundle,
      activities: {
        preflight: () => Promise.resolve(PREFLIGHT),
        readConsent: () => Promise.resolve({ rows: 1 }),
        planMigration: () => Promise.resolve(PLAN),
        notePhase: nothing,
        async setPaused({ paused }: { paused: boolean }) {
          isPaused = paused;
          if (paused || !isWaiting) return isPaused;
          for (const id of jobIds) await client.workflow.getHandle(id).signal(MESSAGES.resumed);
          return isPaused;
        },
        validateJob: () => Promise.resolve({ rows: 1 }),
        submitJob() {
          isWaiting = isPaused;
          if (isPaused) return Promise.resolve({ state: 'paused' });
          jobSubmitted();
          return Promise.resolve({ state: 'settled' });
        },
        settleJob: () => Promise.resolve({ outcomes: { confirmed: 1 }, readBack: null }),
        async readProofs() {
          if (!isPaused) await whenJobSubmitted;
          return {
            totals: TOTALS,
            pastSubmit: 0,
            complete: !isPaused,
            idle: true,
            paused: isPaused,
            stopped: false,
            unread: null,
          };
        },
        settleLeft: () => Promise.resolve({ waitMs: 0, unread: null }),
        finishMigration: () => Promise.resolve(TOTALS),
      },
    });
    await workers.runUntil(async () => {
      const handle = await client.workflow.signalWithStart<typeof consentMigration>(
        'consentMigration',
        {
          workflowId: workflowIds.migration(migrationId),
          taskQueue: migrationId,
          args: [
            {
              migrationId,
              timing: timingOf(parseCheck({})),
              batchSize: 250,
              dryRun: false,
              canary: null,
              ...input,
            },
          ],
          signal: input.waitsForApproval ? MESSAGES.resume : MESSAGES.pause,
        },
      );
      await steer(handle, jobIds);
      await handle.result();
    });
  }

  test('paused: its history grows by a dozen events a day, as does that of a job', async () => {
    await run({ waitsForApproval: false }, async (run, jobIds) => {
      const events = (): Promise<number[]> =>
        Promise.all([run.workflowId, ...jobIds].map((id) => eventsOf(id)));
      await environment.sleep(2 * DAY);
      const before = await events();
      await environment.sleep(10 * DAY);
      for (const [n, later] of (await events()).entries()) {
        const grown = later - (before[n] ?? 0);
        assert.ok(grown > 0 && grown <= 12 * 13, `${grown} events in ten days`);
      }
      await run.signal(MESSAGES.resume);
    });
  });

  test('waiting for approval: its history does not grow', async () => {
    await run({ waitsForApproval: true }, async (run) => {
      await environment.sleep(DAY);
      const events = await eventsOf(run.workflowId);
      await environment.sleep(YEAR);
      assert.equal(await eventsOf(run.workflowId), events);
      await run.executeUpdate(MESSAGES.approve);
    });
  });

  test('watched for people who have not clicked: each of its histories is bounded', async () => {
    const migrationId = uniqueName('watched');
    const workflowId = workflowIds.watch(migrationId);
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: migrationId,
      workflowBundle,
      activities: { lookAtPending: () => Promise.resolve({ confirmed: 0, pending: 3 }) },
    });
    const timing = { ...timingOf(parseCheck({ watchDays: 365 })), watchLongestMs: 3 * DAY };
    const { client } = environment;
    const started = await worker.runUntil(async () => {
      const handle = await client.workflow.start<typeof confirmationWatch>('confirmationWatch', {
        workflowId,
        taskQueue: migrationId,
        args: [{ migrationId, timing }],
      });
      const result = await handle.result();
      assert.ok(result.looks > 120, `${result.looks} looks`);
      return handle.firstExecutionRunId;
    });
    const histories = await historiesFrom(workflowId, started);
    assert.ok(histories.length > 1, 'it continued as new');
    for (const events of histories) assert.ok(events < 1_200, `${events} events`);
  });

  /** Events of each run of a workflow that continues as new. */
  async function historiesFrom(workflowId: string, firstRunId: string): Promise<number[]> {
    const histories: number[] = [];
    for (let runId: string | null | undefined = firstRunId; runId;) {
      const { events } = await environment.client.workflow
        .getHandle(workflowId, runId)
        .fetchHistory();
      histories.push(events?.length ?? 0);
      runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    }
    return histories;
  }
});

test('the reader of a run of a year has turns of at most half a day, in too few to be warned', () => {
  const { readTurnMs } = timingOf(parseCheck({}));
  let turns = 0;
  for (let since = 0, turn = 0; since < YEAR; since += turn) {
    turn = turnLength(turn, since, readTurnMs);
    turns += 1;
    assert.ok(turn <= DAY / 2);
  }
  assert.ok(turns * 6 < WARNING, `${turns} turns, each of six events`);
});
