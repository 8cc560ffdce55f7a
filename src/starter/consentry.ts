import {
  Client,
  type Connection,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import type {
  MigrationInput,
  Phase,
  Plan,
  Preflight,
  Progress,
  Totals,
} from '../contracts/migration.js';
import { MESSAGES, TASK_QUEUES, taskQueueOf, workflowIds } from '../contracts/names.js';
import {
  openSource,
  readMapping,
  type ImportedSource,
  type ImportOptions,
} from '../importers/index.js';
import {
  AlreadyRunningError,
  countTransitions,
  countTotals,
  findRunningMigration,
  getMigration,
  getPlan,
  listMigrations,
  personHistory,
  reportedParts,
  noteStop,
  setPhase,
  setShare,
  steerNow,
  storeIntents,
  type Ledger,
  type MigrationSummary,
  type NewMigration,
  type PersonPart,
  type ReportedPart,
  type Transition,
} from '../ledger/index.js';
import type { Person, PersonConsent } from '../contracts/person.js';
import type { consentCheck, consentMigration } from '../workflows/index.js';
import { accountOf } from './account.js';
import { hasEnded, MigrationStoppedError } from './migrations/ended.js';
import { ids, newId } from './ids.js';
import { storeRetry } from './migrations/retry.js';
import { innermost } from './innermost-failure.js';
import { readLiveConsent } from './people/person.js';
import {
  readReport,
  readReportDetails,
  type Report,
  type ReportDetails,
} from './migrations/report.js';
import {
  importOptions,
  migrationInput,
  migrationSettings,
  requestHash,
  type MigrationRequest,
} from './migrations/settings.js';
import { requireWorker } from './worker-check.js';

export { hasEnded, MigrationStoppedError } from './migrations/ended.js';

export interface ConsentryOptions {
  /** Klaviyo's id of the account that requests are about which do not name one. */
  readonly account?: string | null;
  /** What the names of the task queues begin with. @default 'consentry' */
  readonly taskQueues?: string;
}

export interface StartedMigration {
  readonly id: string;
  readonly workflowId: string;
  /** The Klaviyo account that it is about. */
  readonly accountId: string;
  /** True where the same file with the same settings was running already: nothing was started. */
  readonly attached: boolean;
  readonly rows: number;
  readonly preset: string;
  /** It sends nothing before `approve`. */
  readonly waitsForApproval: boolean;
}

/** Starts migrations and steers them: what the CLI does, for scripts. */
export class Consentry {
  readonly #client: Client;

  constructor(
    connection: Connection,
    private readonly namespace: string,
    private readonly ledger: Ledger,
    private readonly options: ConsentryOptions = {},
  ) {
    this.#client = new Client({ connection, namespace });
  }

  /** The account of a request, and the task queue of its workers. */
  async #bound(
    asked: string | null | undefined,
  ): Promise<{ accountId: string; taskQueue: string }> {
    const accountId = await accountOf(this.ledger.db, asked ?? this.options.account ?? null);
    const taskQueue = taskQueueOf(accountId, this.options.taskQueues ?? TASK_QUEUES);
    await requireWorker(this.#client, this.namespace, { accountId, taskQueue });
    return { accountId, taskQueue };
  }

  /**
   * Reads the source into the ledger and starts its migration. Nothing is sent before the whole
   * source was read and the preflight passed.
   *
   * @param onRows told how many rows were read so far
   * @throws SourceError, SettingsError, NoWorkerError, LedgerUnavailableError
   */
  async startMigration(
    request: MigrationRequest,
    onRows?: (rows: number) => void,
  ): Promise<StartedMigration> {
    const { mapping: mappingFile = null } = request;
    const mapping = mappingFile === null ? null : await readMapping(mappingFile);
    const options = importOptions(request, mapping);
    const source = await openSource(request.file, options, request.query ?? null);
    try {
      return await this.#startFrom(source, request, options, onRows);
    } finally {
      await source.close();
    }
  }

  async #startFrom(
    source: ImportedSource,
    request: MigrationRequest,
    options: ImportOptions,
    onRows?: (rows: number) => void,
  ): Promise<StartedMigration> {
    const id = newId();
    const { accountId, taskQueue } = await this.#bound(request.account);
    const settings = migrationSettings(request, `consentry ${source.preset} ${id}`);
    const sourceSha256 = await source.sha256();
    const hash = requestHash(accountId, sourceSha256, settings, options);
    const attach = async (): Promise<StartedMigration | null> => {
      const running = await this.#findRunning(hash, request, taskQueue);
      if (running === null) return null;
      const { rows } = await countTotals(this.ledger.db, running);
      return {
        ...ids(running),
        accountId,
        attached: true,
        rows,
        preset: source.preset,
        waitsForApproval: false,
      };
    };
    const attached = await attach();
    if (attached !== null) return attached;
    const migration: NewMigration = {
      id,
      accountId,
      sourceName: source.name,
      sourceSha256,
      preset: source.preset,
      settings,
      requestHash: hash,
      retryOf: null,
    };
    let rows: number;
    try {
      rows = await storeIntents(this.ledger, migration, source.intents, onRows);
    } catch (error) {
      if (!(error instanceof AlreadyRunningError)) throw error;
      // Somebody else stored the same at the same time, and came first.
      const other = await attach();
      if (other === null) throw error;
      return other;
    }
    if (request.share !== undefined) await setShare(this.ledger.db, id, request.share);
    const input = migrationInput(id, request, rows);
    await this.#start(input, rows, taskQueue);
    const { needsApproval: waitsForApproval } = input;
    const { preset } = source;
    return { ...ids(id), accountId, attached: false, rows, preset, waitsForApproval };
  }

  /**
   * The running migration that asks for the same. One that was stored and never started (its process
   * died) is started; one whose workflow is gone, such as terminated, is closed in the ledger.
   */
  async #findRunning(
    hash: string,
    request: MigrationRequest,
    taskQueue: string,
  ): Promise<string | null> {
    const id = await findRunningMigration(this.ledger.db, hash);
    if (id === null) return null;
    try {
      const { status } = await this.#handle(id).describe();
      if (status.name === 'RUNNING') return id;
      const failure = `Its workflow has ended as ${status.name.toLowerCase()}.`;
      await setPhase(this.ledger.db, id, 'failed', failure);
      return null;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      const { rows } = await countTotals(this.ledger.db, id);
      await this.#start(migrationInput(id, request, rows), rows, taskQueue);
      return id;
    }
  }

  async #start(input: MigrationInput, rows: number, taskQueue: string): Promise<void> {
    try {
      await this.#client.workflow.start<typeof consentMigration>('consentMigration', {
        workflowId: workflowIds.migration(input.migrationId),
        taskQueue,
        args: [input],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: `${rows.toLocaleString('en-US')} rows`,
      });
    } catch (error) {
      await setPhase(
        this.ledger.db,
        input.migrationId,
        'failed',
        'The workflow could not be started.',
      );
      throw error;
    }
  }

  /** Preflight alone: what a run with these settings would find. Sends nothing. */
  async check(request: Omit<MigrationRequest, 'file'>): Promise<Preflight> {
    const { taskQueue } = await this.#bound(request.account);
    const settings = migrationSettings({ ...request, file: '' }, 'consentry check');
    return this.#result(
      this.#client.workflow.execute<typeof consentCheck>('consentCheck', {
        workflowId: workflowIds.check(newId()),
        taskQueue,
        args: [settings],
        staticSummary: 'preflight only',
      }),
    );
  }

  /** The state of a migration: from its workflow, or from the ledger where none answers. */
  async progress(id: string): Promise<Progress> {
    const migration = await getMigration(this.ledger.db, id);
    if (migration.finishedAt === null) {
      const live = await this.#handle(id)
        .query<Progress>(MESSAGES.progress)
        .catch(() => null);
      // The ledger hears of a pause, a stop and a key that is refused before the workflow does.
      if (live !== null) return { ...live, paused: migration.paused, held: migration.held };
    }
    const totals = await countTotals(this.ledger.db, id);
    return {
      migrationId: id,
      phase: migration.phase,
      paused: migration.paused,
      held: migration.held,
      ...totals,
      warnings: migration.preflight?.warnings ?? [],
      failure: migration.failure,
    };
  }

  /** What the run does; null until it is planned. */
  async plan(id: string): Promise<Plan | null> {
    return getPlan(this.ledger.db, id);
  }

  /**
   * Waits for the end of a run.
   *
   * @param signal ends the waiting with an error; the run goes on
   * @returns its last progress, whose phase is `done` or `cancelled`
   * @throws MigrationStoppedError where a failure stopped it
   */
  async waitForEnd(id: string, signal?: AbortSignal): Promise<Progress> {
    const result = () => this.#handle(id).result();
    try {
      return await this.#result(
        signal === undefined ? result() : this.#client.withAbortSignal(signal, result),
      );
    } catch (error) {
      if (!(error instanceof CancelledFailure)) throw error;
      return this.progress(id);
    }
  }

  /**
   * Submits nothing more, settles what Klaviyo has, writes the report, ends as cancelled. When this
   * returns no call is made any more but those on the wire.
   */
  async cancel(id: string): Promise<void> {
    await this.#steer(id, async (handle) => {
      await noteStop(this.ledger.db, id, 'cancelled_before_sending');
      await handle.cancel();
    });
  }

  /** Submits nothing more until `resume`, from the moment in which this returns. */
  async pause(id: string): Promise<void> {
    await this.#steerNow(id, true);
  }

  async resume(id: string): Promise<void> {
    await this.#steerNow(id, false);
  }

  /** Tells the ledger, which every call asks, then the workflow, which shows it and wakes its jobs. */
  async #steerNow(id: string, paused: boolean): Promise<void> {
    await this.#steer(id, async (handle) => {
      const steering = await steerNow(this.ledger.db, id, paused);
      const args = steering === null ? [] : [steering];
      await handle.signal(paused ? MESSAGES.pause : MESSAGES.resume, ...args);
    });
  }

  /** Lets a run start that waits for a person's word. @throws MigrationStoppedError */
  async approve(id: string): Promise<void> {
    await this.#steer(id, (handle) => handle.executeUpdate(MESSAGES.approve));
  }

  /** How much of the account's limits the run may use from now on, above 0 to 1. */
  async setShare(id: string, share: number): Promise<void> {
    await this.#steer(id, (handle) => handle.executeUpdate(MESSAGES.setShare, { args: [share] }));
  }

  /**
   * Starts a migration of what an ended one did not achieve: rows that were never seen, were not
   * sent, or that Klaviyo refused. The guard reads everybody's consent anew.
   *
   * @throws MigrationStoppedError while the run goes on, or where nothing is left to retry
   */
  async retryFailed(
    id: string,
    request: Omit<MigrationRequest, 'file'> = {},
  ): Promise<StartedMigration> {
    const { accountId, taskQueue } = await this.#bound(
      (await getMigration(this.ledger.db, id)).accountId,
    );
    const { smsCountries = null } = request;
    const { historical, ...retry } = await storeRetry(this.ledger, id, smsCountries);
    const { rows, preset } = retry;
    const input = migrationInput(retry.id, { ...request, historical }, rows);
    await this.#start(input, rows, taskQueue);
    const { needsApproval: waitsForApproval } = input;
    return { ...ids(retry.id), accountId, attached: false, rows, preset, waitsForApproval };
  }

  /** Counts as the ledger has them now; one pass over the migration's rows. */
  totals(id: string): Promise<Totals> {
    return countTotals(this.ledger.db, id);
  }

  /** Every channel of every row and how it ended, in the order of the source, a page at a time. */
  parts(id: string): AsyncGenerator<ReportedPart[]> {
    return reportedParts(this.ledger.db, id);
  }

  report(id: string): Promise<Report> {
    return readReport(this.ledger.db, id);
  }

  /** The report with outcomes over time, the first problems and the watch. */
  reportDetails(id: string): Promise<ReportDetails> {
    return readReportDetails(this.ledger.db, this.#client, id);
  }

  /** What was sent, by consent before and after. */
  transitions(id: string): Promise<Transition[]> {
    return countTransitions(this.ledger.db, id);
  }

  /** Everything that was ever done about a person, oldest first. */
  personHistory(person: Person): Promise<PersonPart[]> {
    return personHistory(this.ledger.db, person);
  }

  /**
   * A person's consent as Klaviyo holds it now, in one account.
   *
   * @throws SettingsError, NoWorkerError, PersonNotReadError
   */
  async liveConsent(person: Person, account: string | null = null): Promise<PersonConsent> {
    const { taskQueue } = await this.#bound(account);
    const through = { client: this.#client, taskQueue, db: this.ledger.db };
    return this.#result(readLiveConsent(through, person));
  }

  list(limit = 20): Promise<MigrationSummary[]> {
    return listMigrations(this.ledger.db, limit);
  }

  #handle(id: string) {
    return this.#client.workflow.getHandle<typeof consentMigration>(workflowIds.migration(id));
  }

  async #steer(id: string, act: (handle: WorkflowHandle) => Promise<void>): Promise<void> {
    const { phase } = await getMigration(this.ledger.db, id);
    // Temporal takes the cancellation of an ended workflow without a word.
    if (hasEnded(phase)) throw alreadyEnded(id, phase);
    try {
      await act(this.#handle(id));
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) {
        throw new MigrationStoppedError(error.cause?.message ?? error.message, 'NotWaiting');
      }
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      throw alreadyEnded(id, phase);
    }
  }

  async #result<T>(execution: Promise<T>): Promise<T> {
    try {
      return await execution;
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      if (error.cause instanceof CancelledFailure) throw error.cause;
      const failure = innermost(error);
      throw new MigrationStoppedError(
        failure?.message ?? error.message,
        failure?.type ?? 'Unknown',
      );
    }
  }
}

function alreadyEnded(id: string, phase: Phase): MigrationStoppedError {
  return new MigrationStoppedError(`Migration ${id} has already ended (${phase}).`, 'AlreadyEnded');
}
