import { Context } from '@temporalio/activity';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, type WorkflowBundle } from '@temporalio/worker';
import pLimit from 'p-limit';
import type { ReadProofsResult } from '../../../src/activities/migration/proofs/read-proofs.js';
import { countJobs, type JobRange } from '../../../src/contracts/jobs.js';
import type { MigrationInput, Totals } from '../../../src/contracts/migration.js';
import { MESSAGES, workflowIds } from '../../../src/contracts/names.js';
import type { consentMigration } from '../../../src/workflows/index.js';
import { planOfOne, PREFLIGHT } from '../../support/plans.js';
import { TEST_TIMING } from '../../support/settings.js';
import { testTemporal, uniqueName } from '../../support/stack.js';
import { bundleWorkflows } from '../../support/temporal/workflow-bundle.js';
import { StagedWorkers } from '../../support/temporal/workers.js';

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** No job of these runs ends by its deadline. */
export const NO_DEADLINE_MS = 3_600_000;

/** A run in which every job is sent at once and then waits, for as long as the test likes. */
export interface StagedRun {
  readonly migrationId: string;
  readonly handle: ReturnType<Client['workflow']['getHandle']>;
  /** Numbers of the jobs that were submitted. */
  readonly submitted: ReadonlySet<number>;
  /** Batches that the migration has started so far. */
  batches(): Promise<number>;
  historyOf(workflowId: string): ReturnType<StagedRun['handle']['fetchHistory']>;
  /** As the reader says it. */
  tellPastSubmit(jobs: number): Promise<void>;
  /** Tells jobs that all their rows have an outcome, so that they end. */
  settle(jobNumbers: Iterable<number>): Promise<void>;
}

/** What a test says instead of the activities. */
export interface Stage {
  readonly jobs: readonly JobRange[];
  readonly batchSize: number;
  /** How a turn of the reader ends; without one, its first turn lasts as long as the run. */
  readonly turn?: () => Promise<Partial<ReadProofsResult>>;
}

/** The workflows on a real Temporal, with activities that need no ledger, no Klaviyo and nobody. */
export class Stages {
  private constructor(
    private readonly connection: Connection,
    private readonly native: NativeConnection,
    private readonly namespace: string,
    private readonly workflowBundle: WorkflowBundle,
  ) {}

  static async open(): Promise<Stages> {
    const { address, namespace } = await testTemporal();
    return new Stages(
      await Connection.connect({ address }),
      await NativeConnection.connect({ address }),
      namespace,
      await bundleWorkflows({ logger: new DefaultLogger('ERROR') }),
    );
  }

  async close(): Promise<void> {
    await this.connection.close();
    await this.native.close();
  }

  /** Plays a run, which is cancelled at the end of the play. Its jobs then end, and so does it. */
  async play(stage: Stage, play: (run: StagedRun) => Promise<void>): Promise<StagedRun> {
    const client = new Client({ connection: this.connection, namespace: this.namespace });
    const migrationId = uniqueName('window');
    const handle = client.workflow.getHandle(workflowIds.migration(migrationId));
    const submitted = new Set<number>();
    const run: StagedRun = {
      migrationId,
      handle,
      submitted,
      async batches() {
        const { events } = await handle.fetchHistory();
        return (events ?? []).filter(
          (event) =>
            event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowType?.name ===
            'consentBatch',
        ).length;
      },
      historyOf: (workflowId) => client.workflow.getHandle(workflowId).fetchHistory(),
      tellPastSubmit: (jobs) => handle.signal(MESSAGES.pastSubmit, jobs),
      async settle(jobNumbers) {
        const limit = pLimit(20);
        await limit.map([...jobNumbers], async (jobNumber) => {
          const job = client.workflow.getHandle(workflowIds.job(migrationId, jobNumber));
          await job.signal(MESSAGES.settled, { confirmed: 1 }).catch((error: unknown) => {
            if (!(error instanceof WorkflowNotFoundError)) throw error;
          });
        });
      },
    };
    const workers = await StagedWorkers.create({
      connection: this.native,
      namespace: this.namespace,
      taskQueue: migrationId,
      workflowBundle: this.workflowBundle,
      activities: activitiesOf(stage, run, submitted),
      maxHeartbeatThrottleInterval: '200ms',
    });
    await workers.runUntil(async () => {
      await client.workflow.start<typeof consentMigration>('consentMigration', {
        workflowId: handle.workflowId,
        taskQueue: migrationId,
        args: [{ migrationId, ...inputOf(stage) }],
      });
      try {
        await play(run);
      } finally {
        await handle.cancel();
        await handle.result().catch(() => undefined);
      }
    });
    return run;
  }
}

function inputOf({ batchSize }: Stage): Omit<MigrationInput, 'migrationId'> {
  return {
    timing: TEST_TIMING,
    batchSize,
    dryRun: false,
    waitsForApproval: false,
    canary: { waitMs: 0, thenStop: false },
  };
}

function activitiesOf({ jobs, turn }: Stage, run: StagedRun, submitted: Set<number>) {
  const rows = jobs.reduce((sum, range) => sum + range.rows, 0);
  const totals: Totals = {
    rows,
    outcomes: {},
    accepted: 0,
    jobs: { total: countJobs(jobs), submitted: 0, settled: 0 },
  };
  const nothing = () => Promise.resolve();
  let isStopped = false;
  return {
    preflight: () => Promise.resolve(PREFLIGHT),
    readConsent: () => Promise.resolve({ rows }),
    planMigration: () =>
      Promise.resolve({
        ...planOfOne({ settleWithinMs: NO_DEADLINE_MS, canary: false }),
        rows,
        jobs,
      }),
    notePhase: nothing,
    judgeCanary: nothing,
    validateJob: () => Promise.resolve({ rows: 1 }),
    submitJob({ jobNumber }: { jobNumber: number }) {
      if (isStopped) return Promise.resolve({ state: 'settled' });
      submitted.add(jobNumber);
      return Promise.resolve({ state: 'sent' });
    },
    settleJob: () => Promise.resolve({ outcomes: { confirmed: 1 }, readBack: null }),
    async readProofs(): Promise<ReadProofsResult> {
      const heartbeats = setInterval(() => Context.current().heartbeat(), 100);
      try {
        const { cancelled } = Context.current();
        const ended = await (turn === undefined ? cancelled : Promise.race([turn(), cancelled]));
        return {
          totals,
          pastSubmit: 0,
          complete: false,
          idle: false,
          paused: false,
          stopped: false,
          unread: null,
          ...ended,
        };
      } finally {
        clearInterval(heartbeats);
      }
    },
    async stopSubmitting() {
      isStopped = true;
      await run.settle(submitted);
    },
    settleLeft: () => Promise.resolve({ waitMs: 0, unread: null }),
    finishMigration: () => Promise.resolve(totals),
  };
}
