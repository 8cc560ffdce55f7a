import { MESSAGES, workflowIds } from '../../contracts/names.js';
import type { SyncProgress, SyncResult, ValidationFound } from '../../contracts/sync.js';
import {
  defineSync,
  lagsOfDay,
  listSyncs,
  SyncNotFoundError,
  syncRuns,
  type Sync,
  type SyncRun,
} from '../../ledger/index.js';
import type { consentSync } from '../../workflows/index.js';
import { newId } from '../ids.js';
import { SettingsError } from '../migrations/request/settings-error.js';
import type { Programs } from '../programs/load.js';
import type { Reach } from '../reach.js';
import { resultOf } from '../stopped.js';
import { applySync, syncChanges, type SyncChange } from './apply-syncs.js';
import { definedSyncs } from './defined-syncs.js';
import {
  destinationOf,
  routineOf,
  settingsOf,
  syncRequestSchema,
  type SyncRequest,
} from './request.js';
import { lagStatus, type LagStatus } from './lag-status.js';
import { pauseSchedule, scheduleState, type ScheduleState } from '../schedules.js';
import { startSync, type StartedSync, type SyncStart } from './start-sync.js';
import { validateSync } from './validate-sync.js';

/** A sync with its latest runs. */
export interface SyncStatus {
  readonly sync: Sync;
  /** The newest first. */
  readonly runs: readonly SyncRun[];
  /** Milliseconds since the last run ended that did all it should; null if none did. */
  readonly lastSuccessMs: number | null;
  /** That is longer ago than it may be. */
  readonly isLate: boolean;
  /** How late changes were noticed in the last 24 hours. */
  readonly lag: LagStatus;
  /** Null if the sync runs only when somebody asks for it. */
  readonly schedule: ScheduleState | null;
}

/** Which sync: by its name, by its id, or by where it writes. */
export type WhichSync =
  | { readonly name: string; readonly account?: string | null }
  | (SyncRequest & { readonly name?: never });

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
    return this.#startNew(request, false);
  }

  /**
   * Begins a sync anew: takes its table as it is, reads the whole account and compares every row. No
   * row is deleted by that.
   *
   * @throws what `start` throws; SyncNotFoundError
   */
  async reset(which: WhichSync): Promise<StartedSync> {
    if (which.name === undefined) return this.#startNew(which, true);
    return this.run(which.name, { reset: true, account: which.account ?? null });
  }

  /**
   * Starts a run of a sync that has a name.
   *
   * @throws SyncNotFoundError, NoWorkerError, SyncIsRunningError
   */
  async run(
    name: string,
    {
      full = false,
      reset = false,
      account = null,
    }: Partial<Pick<SyncStart, 'full' | 'reset'>> & { readonly account?: string | null } = {},
  ): Promise<StartedSync> {
    const sync = await this.#named(name, account);
    const { taskQueue } = await this.reach.workersOf(sync.accountId);
    return startSync(this.reach, sync, taskQueue, { full, reset, secret: null });
  }

  /**
   * Starts a run of a sync as a `consentry.yaml` defines it, applied or not; for the CLI.
   *
   * @throws SyncNotFoundError if the file has no such sync; and what `run` throws
   */
  async runDefined(
    { file, secrets }: Programs,
    name: string,
    how: Pick<SyncStart, 'full' | 'reset'>,
  ): Promise<StartedSync> {
    const defined = definedSyncs(file, secrets).find((each) => each.name === name);
    if (defined === undefined) {
      const known = Object.keys(file.settings.syncs).join(', ');
      throw new SettingsError(`${file.path} has no sync ${name}: it has ${known || 'none'}.`);
    }
    const { accountId, taskQueue } = await this.reach.workersOf(defined.accountId);
    const { db } = this.reach.ledger;
    const { destination } = defined;
    // Only apply touches the Schedule, and whatever depends on it.
    const known = (await listSyncs(db)).find(
      (each) => each.name === name && each.accountId === accountId,
    );
    const settings = { ...defined.settings, ...routineOf(known?.settings ?? null) };
    const named = { id: newId(), accountId, name, destination };
    const sync = await defineSync(db, { ...named, settings });
    return startSync(this.reach, sync, taskQueue, { ...how, secret: null });
  }

  /** How the syncs of a file differ from what was applied last; for the CLI. Throws what `syncChanges` throws. */
  changes(loaded: Programs): Promise<SyncChange[]> {
    return syncChanges(this.reach, loaded);
  }

  /** Defines a sync and its Schedule as a file does; for the CLI. Throws what `applySync` throws. */
  apply(change: SyncChange): Promise<void> {
    return applySync(this.reach, change);
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

  /** Ends a run after what was written; the next one goes on there. */
  async cancel(workflowId: string): Promise<void> {
    await this.reach.client.workflow.getHandle(workflowId).cancel();
  }

  /**
   * Syncs of the ledger with their latest runs, the oldest sync first.
   *
   * @param name only this one
   * @throws SyncNotFoundError
   */
  async status(name: string | null = null): Promise<SyncStatus[]> {
    const { db } = this.reach.ledger;
    const all = await listSyncs(db);
    const asked = all.filter((sync) => name === null || isCalled(sync, name));
    if (name !== null && asked.length === 0) throw new SyncNotFoundError(name);
    return Promise.all(
      asked.map(async (sync) => {
        const runs = await syncRuns(db, sync.id, RUNS_SHOWN);
        const { lastSuccessAt, settings } = sync;
        const lastSuccessMs = lastSuccessAt === null ? null : Date.now() - lastSuccessAt.getTime();
        const since = lastSuccessMs ?? Date.now() - sync.createdAt.getTime();
        return {
          sync,
          runs,
          lastSuccessMs,
          isLate: settings.lateAfterMs !== null && since > settings.lateAfterMs,
          lag: lagStatus(await lagsOfDay(db, sync.id)),
          schedule: await scheduleState(this.reach.client, workflowIds.sync(sync.id)),
        };
      }),
    );
  }

  /**
   * Pauses the Schedule of a sync, or lets it start runs again.
   *
   * @throws SyncNotFoundError; SettingsError if it has no Schedule
   */
  async setPaused(name: string, paused: boolean, account: string | null = null): Promise<void> {
    const { id } = await this.#named(name, account);
    const note = paused ? 'Paused by consentry sync pause.' : 'Resumed by consentry sync unpause.';
    if (!(await pauseSchedule(this.reach.client, workflowIds.sync(id), paused, note))) {
      throw new SettingsError(
        `The sync ${name} has no Schedule: it runs only when somebody asks for it. Give it "every" in ` +
          'consentry.yaml, and run consentry apply.',
      );
    }
  }

  /**
   * Compares random rows with what Klaviyo says of them now. Nothing is written.
   *
   * @throws SyncNotFoundError, NoWorkerError, MigrationStoppedError
   */
  async validate(which: WhichSync, sample: number): Promise<ValidationFound> {
    const sync =
      which.name === undefined
        ? await this.#at(which)
        : await this.#named(which.name, which.account ?? null);
    const { taskQueue } = await this.reach.workersOf(sync.accountId);
    const isOfRun = which.name === undefined && sync.settings.to.kind === 'table';
    const secret = isOfRun ? which.to : null;
    return validateSync(this.reach, sync, taskQueue, { sample, secret });
  }

  async #startNew(request: SyncRequest, reset: boolean): Promise<StartedSync> {
    const full = parsed(request);
    const reached = await this.reach.workersOf(full.account);
    const sync = await defineSync(this.reach.ledger.db, {
      id: newId(),
      accountId: reached.accountId,
      name: null,
      destination: destinationOf(full),
      settings: settingsOf(full),
    });
    const secret = sync.settings.to.kind === 'table' ? full.to : null;
    return startSync(this.reach, sync, reached.taskQueue, { full: full.full, reset, secret });
  }

  /** @throws SyncNotFoundError, SettingsError */
  async #named(name: string, account: string | null): Promise<Sync> {
    const [first, ...others] = (await listSyncs(this.reach.ledger.db)).filter(
      (sync) => isCalled(sync, name) && (account === null || sync.accountId === account),
    );
    if (first === undefined) throw new SyncNotFoundError(name);
    if (others.length === 0) return first;
    throw new SettingsError(
      `Several accounts have a sync ${name}: ${[first, ...others].map(({ accountId }) => accountId).join(', ')}. ` +
        'Say which with --account.',
    );
  }

  /** @throws SyncNotFoundError, SettingsError */
  async #at(request: SyncRequest): Promise<Sync> {
    const destination = destinationOf(parsed(request));
    const syncs = await listSyncs(this.reach.ledger.db);
    const sync = syncs.find((each) => each.destination === destination);
    if (sync === undefined) throw new SyncNotFoundError(`into ${destination}`);
    return sync;
  }
}

function isCalled({ name, id }: Sync, called: string): boolean {
  return name === called || id === called;
}

/** @throws SettingsError */
function parsed(request: SyncRequest) {
  const result = syncRequestSchema.safeParse(request);
  if (result.success) return result.data;
  const lines = result.error.issues.map(({ path, message }) => {
    const where = path.map(String).join('.');
    return `${where === '' ? 'The sync' : where}: ${message}.`;
  });
  throw new SettingsError(lines.join('\n'));
}
