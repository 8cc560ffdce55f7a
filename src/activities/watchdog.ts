import { SYNC_CANCELLED, type SecretReference } from '../contracts/sync.js';
import {
  alertOf,
  beginNotice,
  beginSegmentNotice,
  endSegmentNotice,
  finishErasures,
  giveNoticeBack,
  listActivations,
  listSyncs,
  noteTold,
  segmentRuns,
  syncRuns,
  type Activation,
  type SegmentRun,
  type Sync,
} from '../ledger/index.js';
import type { ActivityDependencies } from './dependencies.js';

/** What a watchdog says of a sync. */
export interface SyncNotice {
  readonly sync: string;
  readonly account: string;
  /** `late`: no success for too long; `failed`: the last run failed; `well`: neither any more. */
  readonly state: 'late' | 'failed' | 'well';
  readonly lastSuccessAt: string | null;
  /** What a person has to know, without personal data. */
  readonly message: string;
}

/** What a watchdog says of a segment that runs by itself. */
export interface SegmentNotice {
  readonly program: string;
  readonly account: string;
  /** `braked`: a run waits for an answer; `late`, `failed` and `well` as of a sync. */
  readonly state: 'braked' | 'late' | 'failed' | 'well';
  /** The run that waits or failed; null otherwise. */
  readonly run: string | null;
  readonly lastSuccessAt: string | null;
  /** What a person has to know, without personal data. */
  readonly message: string;
}

/** How a process tells people and measures. */
export interface WatchdogOutlets {
  /** @throws if the address did not take it */
  send(to: SecretReference, notice: SyncNotice | SegmentNotice): Promise<void>;
  /**
   * Of every sync and segment, at each look.
   *
   * @param seconds since its last success, or since it was defined
   */
  measure(
    of: 'sync' | 'program',
    name: string,
    account: string,
    seconds: number,
    isLate: boolean,
  ): void;
  /** A notice that could not be sent: it is tried again. */
  warn(message: string): void;
}

/**
 * Looks after the syncs of an account and the segments that run by themselves, once a minute in every
 * worker. It does not depend on their Schedules: one that starts nothing is noticed by the age of the last
 * success.
 */
export class Watchdog {
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;

  constructor(
    private readonly deps: Pick<ActivityDependencies, 'ledger' | 'accountId'>,
    private readonly outlets: WatchdogOutlets,
    private readonly everyMs = 60_000,
  ) {}

  start(): void {
    this.#timer = setInterval(() => {
      this.#looking ??= this.look().finally(() => (this.#looking = null));
    }, this.everyMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#looking;
  }

  /** Looks at everything once, and erases whoever had to wait for the end of a run. */
  async look(): Promise<void> {
    const { ledger, accountId } = this.deps;
    await this.#tried('Syncs were not looked after', async () => {
      for (const sync of await listSyncs(ledger.db)) {
        if (sync.accountId === accountId) await this.#lookAt(sync);
      }
    });
    await this.#tried('Segments were not looked after', async () => {
      for (const activation of await listActivations(ledger.db)) {
        if (activation.accountId === accountId) await this.#lookAtSegment(activation);
      }
    });
    await this.#tried('Deleted people were not erased from the ledger', () =>
      finishErasures(ledger.db, accountId),
    );
  }

  /** If the ledger does not answer, the next look is in a minute. */
  async #tried(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.outlets.warn(`${what}: ${messageOf(error)}`);
    }
  }

  /** One notice for each run that waits or failed, for being late, and when all is well again. */
  async #lookAtSegment(activation: Activation): Promise<void> {
    const { db } = this.deps.ledger;
    const { number, program, accountId, settings, lastSuccessAt, activatedAt, alerted } =
      activation;
    const sinceMs = Date.now() - (lastSuccessAt ?? activatedAt).getTime();
    const isLate = settings.lateAfterMs !== null && sinceMs > settings.lateAfterMs;
    this.outlets.measure('program', program, accountId, Math.round(sinceMs / 1_000), isLate);
    if (settings.notify === null) return;
    const run = troubleOf(await segmentRuns(db, number, RUNS_LOOKED_AT));
    const state = run !== null ? run.state : isLate ? 'late' : 'well';
    const now = run !== null ? `${run.state} ${run.id}` : isLate ? 'late' : null;
    if (now === alerted || !(await beginSegmentNotice(db, number, alerted))) return;
    try {
      await this.outlets.send(settings.notify, {
        program,
        account: accountId,
        state,
        run: run?.id ?? null,
        lastSuccessAt: lastSuccessAt?.toISOString() ?? null,
        message: segmentWords(state, program, sinceMs, run?.why ?? null),
      });
    } catch (error) {
      // The next look tries again.
      await endSegmentNotice(db, number, alerted);
      this.outlets.warn(
        `The notice that segment ${program} is ${state} was not sent: ${messageOf(error)}`,
      );
      return;
    }
    await endSegmentNotice(db, number, now);
  }

  async #lookAt(sync: Sync): Promise<void> {
    const { db } = this.deps.ledger;
    const { settings, lastSuccessAt, createdAt } = sync;
    const sinceMs = Date.now() - (lastSuccessAt ?? createdAt).getTime();
    const isLate = settings.lateAfterMs !== null && sinceMs > settings.lateAfterMs;
    const name = sync.name ?? sync.id;
    this.outlets.measure('sync', name, sync.accountId, Math.round(sinceMs / 1_000), isLate);
    if (settings.notify === null) return;
    const failure = await this.#failureOf(sync);
    const isAlerted = (await alertOf(db, sync.id)) !== null;
    const state = failure !== null ? 'failed' : isLate ? 'late' : 'well';
    if ((state !== 'well') === isAlerted) return;
    if (!(await beginNotice(db, sync.id, isAlerted))) return;
    try {
      await this.outlets.send(settings.notify, {
        sync: name,
        account: sync.accountId,
        state,
        lastSuccessAt: lastSuccessAt?.toISOString() ?? null,
        message: wordsOf(state, name, sinceMs, failure),
      });
    } catch (error) {
      // The next look tries again.
      await giveNoticeBack(db, sync.id);
      this.outlets.warn(
        `The notice that sync ${name} is ${state} was not sent: ${messageOf(error)}`,
      );
      return;
    }
    // Only now: a worker that dies before has told nobody, as far as the next one knows.
    await noteTold(db, sync.id, state !== 'well');
  }

  /** Why the last run of a sync failed; null if it did not. */
  async #failureOf({ id }: Sync): Promise<string | null> {
    const runs = await syncRuns(this.deps.ledger.db, id, 5, 'sync');
    const last = runs.find(
      ({ finishedAt, failure }) => finishedAt !== null && failure !== SYNC_CANCELLED,
    );
    return last?.failure ?? null;
  }
}

const RUNS_LOOKED_AT = 20;

type Trouble = SegmentRun & { readonly state: 'braked' | 'failed' };

/** The run that waits, or failed after the last one that did all it should; null if none. */
function troubleOf(runs: readonly SegmentRun[]): Trouble | null {
  // Whoever cancelled, rejected or skipped one knows.
  const isTold = ({ state }: SegmentRun) =>
    ['braked', 'failed', 'done', 'nothing_to_do'].includes(state);
  const last = runs.find(isTold);
  if (last === undefined) return null;
  const { state } = last;
  return state === 'braked' || state === 'failed' ? { ...last, state } : null;
}

function segmentWords(
  state: SegmentNotice['state'],
  program: string,
  sinceMs: number,
  why: string | null,
): string {
  const minutes = Math.round(sinceMs / 60_000);
  const runs = `'consentry program runs ${program}'`;
  switch (state) {
    case 'braked':
      return (
        `A run of ${program} waits for an answer: ${why ?? ''} Answer with 'consentry program approve ${program}' or ` +
        `'consentry program reject ${program}'.`
      );
    case 'late':
      return `The segment ${program} has had no success for ${minutes} minutes. ${runs} says why.`;
    case 'failed':
      return (
        `The last run of the segment ${program} failed: ${why ?? ''} Its Schedule starts no more until ` +
        `'consentry program unpause ${program}'.`
      );
    case 'well':
      return `The segment ${program} is well again.`;
  }
}

function wordsOf(
  state: SyncNotice['state'],
  name: string,
  sinceMs: number,
  failure: string | null,
): string {
  const minutes = Math.round(sinceMs / 60_000);
  switch (state) {
    case 'late':
      return `The sync ${name} has had no success for ${minutes} minutes. 'consentry sync status ${name}' says why.`;
    case 'failed':
      return `The last run of the sync ${name} failed: ${failure ?? ''}`;
    case 'well':
      return `The sync ${name} is well again.`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
