import { resolve } from 'node:path';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { ActivationInput, ActivationSettings } from '../../../contracts/activation.js';
import { MESSAGES, workflowIds } from '../../../contracts/names.js';
import type { SyncInterval } from '../../../contracts/sync.js';
import { readMapping } from '../../../importers/index.js';
import {
  ActivationNotFoundError,
  defineActivation,
  endSegment,
  letKeptLeave,
  listActivations,
  noteTerminated,
  removeActivation,
  segmentRunOf,
  segmentRuns,
  segmentsCalled,
  type Activation,
  type SegmentRun,
} from '../../../ledger/index.js';
import type { consentActivation } from '../../../workflows/index.js';
import type { RunOptions } from '../../migrations/request/migration-request.js';
import { SettingsError } from '../../migrations/request/settings-error.js';
import { migrationInput } from '../../migrations/settings.js';
import type { Reach } from '../../reach.js';
import {
  deleteSchedule,
  pauseSchedule,
  putSchedule,
  scheduleState,
  triggerSchedule,
  type ScheduleState,
} from '../../schedules.js';
import { isListNotFound, MigrationStoppedError } from '../../stopped.js';
import { canonical } from '../apply/state.js';
import { inFolder, referenceOf } from '../file/read.js';
import type { Programs } from '../load.js';
import type { Program } from '../program.js';
import type { PreparedRun, ProgramRuns } from '../program-runs.js';
import { importingOf } from '../request.js';
import { definitionOf, settingsOfRuns } from '../segment/start-segment.js';

/** How a program's running by itself differs from what was applied last. */
export interface ActivationChange {
  readonly program: string;
  readonly accountId: string;
  readonly change: 'none' | 'new' | 'changed' | 'removed';
  /** Null if it no longer runs by itself. */
  readonly every: SyncInterval | null;
}

/** A segment of the ledger, with its latest runs. */
export interface SegmentStatus {
  readonly segment: number;
  readonly program: string;
  readonly accountId: string;
  /** The newest first. */
  readonly runs: readonly SegmentRun[];
  /** People who are missing since it began anew, and stay until `approve`. */
  readonly kept: number;
  /** Milliseconds since the last run ended that did all it should; null if none did. */
  readonly lastSuccessMs: number | null;
  /** That is longer ago than it may be. */
  readonly isLate: boolean;
  /** Null if it runs only when somebody asks for it. */
  readonly schedule: ScheduleState | null;
}

/** What an answer was about. */
export type Answered = { readonly program: string } & (
  | { readonly to: 'run'; readonly run: SegmentRun }
  /** People who are missing since the segment began anew: they leave in the next run. */
  | { readonly to: 'kept'; readonly people: number }
);

const RUNS_SHOWN = 20;

/** Lets segments run by themselves, and steers their runs. */
export class Activations {
  constructor(
    private readonly reach: Reach,
    private readonly programs: ProgramRuns,
  ) {}

  /**
   * How the programs of a file that run by themselves differ from what was applied last.
   *
   * @throws what `ProgramRuns.prepare` throws
   */
  async changes(loaded: Programs): Promise<ActivationChange[]> {
    const { accounts } = loaded.file.settings;
    const known = await listActivations(this.reach.ledger.db);
    const changes: ActivationChange[] = [];
    for (const program of loaded.programs) {
      if (!runsByItself(program)) continue;
      const { accountId } = await this.reach.workersOf(program.account.id);
      const before = known.find((each) => isOf(each, accountId, program.name));
      const { every } = program.activation;
      const change = before === undefined ? 'new' : await this.#changeOf(loaded, program, before);
      changes.push({ program: program.name, accountId, change, every });
    }
    const meant = new Set(changes.map(({ accountId }) => accountId));
    for (const { id } of Object.values(accounts)) if (id !== undefined) meant.add(id);
    // A file with one account and no id means the only one of the ledger.
    if (meant.size === 0 && known.length > 0 && Object.keys(accounts).length === 1) {
      meant.add((await this.reach.workersOf(null)).accountId);
    }
    for (const { accountId, program } of known) {
      if (!meant.has(accountId)) continue;
      if (changes.some((each) => each.accountId === accountId && each.program === program))
        continue;
      changes.push({ program, accountId, change: 'removed', every: null });
    }
    return changes;
  }

  /** Lets a program run by itself as its file says, or no more. @param options how its runs go */
  async apply(
    loaded: Programs,
    { program: name, accountId, every }: ActivationChange,
    options: RunOptions = {},
  ): Promise<void> {
    const { client, ledger } = this.reach;
    const program = loaded.programs.find((each) => each.name === name);
    if (every === null || program === undefined || !runsByItself(program)) {
      const known = await listActivations(ledger.db);
      const before = known.find((each) => isOf(each, accountId, name));
      if (before === undefined) return;
      await deleteSchedule(client, workflowIds.activation(accountId, name));
      await removeActivation(ledger.db, accountId, name);
      // Once more, after the Schedule: a run may have begun meanwhile.
      if (program === undefined || program.channels.value.length === 0) {
        await endSegment(ledger.db, accountId, name);
      }
      return;
    }
    const prepared = await this.programs.prepare(loaded, program, options);
    const settings = await settingsOf(loaded, program, prepared, accountId);
    const { taskQueue } = await this.reach.workersOf(accountId);
    await defineActivation(ledger.db, accountId, name, settings);
    const id = workflowIds.activation(accountId, name);
    const input: ActivationInput = { account: accountId, program: name };
    const lateAfterMs = await putSchedule(client, {
      id,
      workflowType: 'consentActivation' satisfies typeof consentActivation.name,
      args: [input],
      every,
      taskQueue,
      summary: `segment ${name}`,
    });
    await defineActivation(ledger.db, accountId, name, { ...settings, lateAfterMs });
  }

  /** Starts a run now, unless one works. @throws ActivationNotFoundError, SettingsError */
  async trigger(program: string, account: string | null = null): Promise<void> {
    const { accountId } = await this.#activation(program, account);
    await triggerSchedule(this.reach.client, workflowIds.activation(accountId, program));
  }

  /** Lets a Schedule start no runs, or runs again. @throws ActivationNotFoundError, SettingsError */
  async setPaused(program: string, paused: boolean, account: string | null = null): Promise<void> {
    const { accountId } = await this.#activation(program, account);
    const note = `${paused ? 'Paused' : 'Resumed'} by consentry program ${paused ? 'pause' : 'unpause'}.`;
    const id = workflowIds.activation(accountId, program);
    if (await pauseSchedule(this.reach.client, id, paused, note)) return;
    throw new ActivationNotFoundError(program);
  }

  /** A segment and its latest runs, by itself and by hand. @throws SettingsError */
  async status(program: string, account: string | null = null): Promise<SegmentStatus> {
    const { db } = this.reach.ledger;
    const { number, accountId, kept } = await this.#segment(program, account);
    const activation = (await listActivations(db)).find((each) => each.number === number);
    const { lastSuccessAt = null, activatedAt, settings } = activation ?? {};
    const since = lastSuccessAt ?? activatedAt ?? null;
    const lateAfterMs = settings?.lateAfterMs ?? null;
    return {
      segment: number,
      program,
      accountId,
      runs: await segmentRuns(db, number, RUNS_SHOWN),
      kept,
      lastSuccessMs: lastSuccessAt === null ? null : Date.now() - lastSuccessAt.getTime(),
      isLate: since !== null && lateAfterMs !== null && Date.now() - since.getTime() > lateAfterMs,
      schedule: await scheduleState(this.reach.client, workflowIds.activation(accountId, program)),
    };
  }

  /**
   * Lets a run that waits do what it found; if none waits, lets those leave who are missing since the segment
   * began anew.
   *
   * @param of the program, or the id of the run: then no other one is approved
   * @throws MigrationStoppedError if nothing waits for an answer
   */
  async approve(of: string, account: string | null = null): Promise<Answered> {
    const { segment, program, kept, waits, run } = await this.#waiting(of, account);
    if (waits !== undefined) return this.#answer(program, waits, MESSAGES.approve);
    if (run !== null) throw isOver(run, program);
    if (kept === 0) throw nothingWaits(program);
    return { program, to: 'kept', people: await letKeptLeave(this.reach.ledger.db, segment) };
  }

  /**
   * Ends a run that waits: nothing is sent.
   *
   * @param of the program, or the id of the run
   * @throws MigrationStoppedError if none waits
   */
  async reject(of: string, account: string | null = null): Promise<Answered> {
    const { program, waits, run } = await this.#waiting(of, account);
    if (waits === undefined) throw run === null ? nothingWaits(program) : isOver(run, program);
    return this.#answer(program, waits, MESSAGES.reject);
  }

  async #waiting(of: string, account: string | null) {
    const run = await segmentRunOf(this.reach.ledger.db, of);
    const status = await this.status(run?.program ?? of, run?.accountId ?? account);
    const waits = status.runs.find(
      ({ id, state }) => state === 'braked' && (run === null || id === run.id),
    );
    return { ...status, waits, run };
  }

  async #answer(
    program: string,
    run: SegmentRun,
    answer: typeof MESSAGES.approve | typeof MESSAGES.reject,
  ): Promise<Answered> {
    const { client, ledger } = this.reach;
    try {
      await client.workflow.getHandle(run.workflowId ?? '').executeUpdate(answer);
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) {
        throw new MigrationStoppedError(error.cause?.message ?? error.message, 'NotWaiting');
      }
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      // A terminated workflow has noted nothing: the next answer is not for this run.
      await noteTerminated(ledger.db, run.id);
      throw new MigrationStoppedError(`The run ${run.id} has ended.`, 'AlreadyEnded');
    }
    return { program, to: 'run', run };
  }

  async #changeOf(
    loaded: Programs,
    program: Program & { readonly activation: NonNullable<Program['activation']> },
    { settings: before, accountId }: Activation,
  ): Promise<'none' | 'changed'> {
    try {
      const prepared = await this.programs.prepare(loaded, program);
      const now = await settingsOf(loaded, program, prepared, accountId);
      const { lateAfterMs } = before;
      return canonical({ ...now, lateAfterMs }) === canonical(before) ? 'none' : 'changed';
    } catch (error) {
      // Applying creates the list, or says what is wrong with it.
      if (isListNotFound(error)) return 'changed';
      throw error;
    }
  }

  async #activation(program: string, account: string | null): Promise<Activation> {
    const known = await listActivations(this.reach.ledger.db);
    const called = known.filter(
      (each) => each.program === program && (account === null || each.accountId === account),
    );
    if (called.length > 1) throw severalAccounts(program, called);
    const [activation] = called;
    if (activation === undefined) throw new ActivationNotFoundError(program);
    return activation;
  }

  async #segment(program: string, account: string | null) {
    const known = await segmentsCalled(this.reach.ledger.db, program);
    const called = known.filter(({ accountId }) => account === null || accountId === account);
    if (called.length > 1) throw severalAccounts(program, called);
    const [segment] = called;
    if (segment === undefined) {
      throw new SettingsError(
        `The ledger has no segment of the program ${program}: it was never run, or has no key. 'consentry program list' ` +
          'names the programs.',
      );
    }
    return segment;
  }
}

type ByItself = Program & {
  readonly segment: NonNullable<Program['segment']>;
  readonly activation: NonNullable<Program['activation']>;
};

/** A program without channels asks nobody, so it does not run. */
function runsByItself(program: Program): program is ByItself {
  return (
    program.segment !== null && program.activation !== null && program.channels.value.length > 0
  );
}

function isOf(activation: Activation, accountId: string, program: string): boolean {
  return activation.accountId === accountId && activation.program === program;
}

async function settingsOf(
  { file }: Programs,
  program: Program,
  { request }: PreparedRun,
  accountId: string,
): Promise<ActivationSettings> {
  const { segment, activation, source } = program;
  if (segment === null || activation === null) throw new Error('It does not run by itself.');
  const mapping = request.mapping === null ? null : await readMapping(request.mapping);
  const { now: _, ...importing } = importingOf(program, request, mapping);
  const {
    accountId: _a,
    program: _p,
    ...definition
  } = definitionOf(program, segment, accountId, request);
  const { customSource } = request;
  const { migrationId: _m, ...input } = migrationInput('', { ...request, approvalAbove: null }, 0);
  const connection = file.settings.connections[source.connection ?? ''];
  return {
    source:
      source.file === undefined && connection !== undefined
        ? {
            from: 'database',
            url: referenceOf(file, connection.url),
            query: source.query ?? '',
          }
        : { from: 'file', path: resolve(inFolder(file, source.file ?? '')) },
    importing: { ...importing },
    definition,
    migration: { ...settingsOfRuns(segment, request, ''), customSource, dryRun: false },
    share: request.share,
    input,
    every: activation.every,
    lateAfterMs: null,
    notify: activation.notify === null ? null : referenceOf(file, activation.notify.url),
  };
}

function severalAccounts(
  program: string,
  among: readonly { readonly accountId: string }[],
): SettingsError {
  return new SettingsError(
    `Several accounts have a program ${program}: say which with --account (${among.map(({ accountId }) => accountId).join(', ')}).`,
  );
}

function isOver({ id, state }: SegmentRun, program: string): MigrationStoppedError {
  return new MigrationStoppedError(
    `The run ${id} of ${program} waits for no answer: it is ${state}. See its runs with: consentry program runs ${program}`,
    'NotWaiting',
  );
}

function nothingWaits(program: string): MigrationStoppedError {
  return new MigrationStoppedError(
    `No run of ${program} waits for an answer, and nobody is missing since its segment began anew. ` +
      `See its runs with: consentry program runs ${program}`,
    'NotWaiting',
  );
}
