import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { workflowIds, MESSAGES } from '../../contracts/names.js';
import type { SyncProgress, SyncResult } from '../../contracts/sync.js';
import {
  beginSyncRun,
  defineSync,
  endSyncRun,
  listSyncs,
  SyncIsRunningError,
  syncRuns,
  type Sync,
  type SyncRun,
} from '../../ledger/index.js';
import type { consentSync } from '../../workflows/index.js';
import { newId } from '../ids.js';
import { SettingsError } from '../migrations/request/settings-error.js';
import type { Reach } from '../reach.js';
import { resultOf } from '../stopped.js';
import { settingsOf, shownDestination, syncRequestSchema, type SyncRequest } from './request.js';

/** A run of a sync that was started, or that was going on. */
export interface StartedSync {
  readonly syncId: string;
  readonly runId: string;
  readonly workflowId: string;
  /** It was going on already. */
  readonly attached: boolean;
}

/** A sync with its latest runs. */
export interface SyncStatus {
  readonly sync: Sync;
  /** The newest first. */
  readonly runs: readonly SyncRun[];
  /** Milliseconds since the last run ended that did all it should; null if none did. */
  readonly lastSuccessMs: number | null;
}

const RUNS_SHOWN = 20;

/** Writes consent into other databases. */
export class Syncs {
  constructor(private readonly reach: Reach) {}

  /**
   * Starts a sync of an account's consent into a table, or attaches to the one that is running. The
   * first run reads the whole account, later ones what changed.
   *
   * @example
   * const { workflowId } = await consentry.syncs.start({ to: 'postgres://user@host/crm' });
   * const { added, changed } = await consentry.syncs.waitForEnd(workflowId);
   *
   * @throws SettingsError, NoWorkerError, SyncIsRunningError, DestinationTakenError
   */
  async start(request: SyncRequest): Promise<StartedSync> {
    const parsed = syncRequestSchema.safeParse(request);
    if (!parsed.success) throw settingsError(parsed.error.issues);
    const { to, full, account, ...keys } = parsed.data;
    const reached = await this.reach.workersOf(account);
    const sync = await defineSync(this.reach.ledger.db, {
      id: newId(),
      accountId: reached.accountId,
      name: null,
      destination: shownDestination(to, keys.table),
      settings: settingsOf(keys, { from: 'run' }),
    });
    return this.#start(sync, reached.taskQueue, { full, reset: false, secret: to });
  }

  /** @throws MigrationStoppedError with what was in the way; CancelledFailure */
  waitForEnd(workflowId: string): Promise<SyncResult> {
    return resultOf(this.reach.client.workflow.getHandle<typeof consentSync>(workflowId).result());
  }

  /** How far a run has come; null while no worker answers. */
  async progress(workflowId: string): Promise<SyncProgress | null> {
    const handle = this.reach.client.workflow.getHandle(workflowId);
    return handle.query<SyncProgress>(MESSAGES.progress).catch(() => null);
  }

  /** All syncs of the ledger with their latest runs, the oldest sync first. */
  async status(): Promise<SyncStatus[]> {
    const { db } = this.reach.ledger;
    const syncs = await listSyncs(db);
    return Promise.all(
      syncs.map(async (sync) => {
        const runs = await syncRuns(db, sync.id, RUNS_SHOWN);
        const last = runs.find(
          ({ finishedAt, failure }) => finishedAt !== null && failure === null,
        );
        const endedAt = last?.finishedAt?.getTime() ?? null;
        return { sync, runs, lastSuccessMs: endedAt === null ? null : Date.now() - endedAt };
      }),
    );
  }

  async #start(
    sync: Sync,
    taskQueue: string,
    how: { readonly full: boolean; readonly reset: boolean; readonly secret: string | null },
  ): Promise<StartedSync> {
    const { db } = this.reach.ledger;
    const { id: syncId, accountId } = sync;
    const { full, reset, secret } = how;
    const workflowId = workflowIds.sync(syncId);
    const runId = newId();
    try {
      await beginSyncRun(db, { id: runId, syncId, accountId, secret });
    } catch (error) {
      if (!(error instanceof SyncIsRunningError) || !(await this.#isOpen(workflowId))) throw error;
      return { syncId, runId: error.runId, workflowId, attached: true };
    }
    try {
      await this.reach.client.workflow.start<typeof consentSync>('consentSync', {
        workflowId,
        taskQueue,
        args: [{ syncId, full, reset, isWaitedFor: true, runId }],
        workflowIdConflictPolicy: 'FAIL',
        staticSummary: `consent into ${sync.settings.to.table}`,
      });
    } catch (error) {
      await endSyncRun(db, runId, 'It was not started.');
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      throw new SyncIsRunningError(syncId);
    }
    return { syncId, runId, workflowId, attached: false };
  }

  async #isOpen(workflowId: string): Promise<boolean> {
    try {
      const { status } = await this.reach.client.workflow.getHandle(workflowId).describe();
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }
}

function settingsError(issues: readonly { path: readonly PropertyKey[]; message: string }[]) {
  const lines = issues.map(({ path, message }) => {
    const where = path.map(String).join('.');
    return `${where === '' ? 'The sync' : where}: ${message}.`;
  });
  return new SettingsError(lines.join('\n'));
}
