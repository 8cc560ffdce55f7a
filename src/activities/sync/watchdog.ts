import { SYNC_CANCELLED, type SecretReference } from '../../contracts/sync.js';
import {
  alertOf,
  beginNotice,
  finishErasures,
  giveNoticeBack,
  listSyncs,
  noteTold,
  syncRuns,
  type Sync,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';

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

/** How a process tells people and measures. */
export interface WatchdogOutlets {
  /** @throws if the address did not take it */
  send(to: SecretReference, notice: SyncNotice): Promise<void>;
  /** Of every sync, at each look. @param seconds since its last success, or since it was defined */
  measure(sync: string, account: string, seconds: number, isLate: boolean): void;
  /** A notice that could not be sent: it is tried again. */
  warn(message: string): void;
}

/**
 * Looks after the syncs of an account, once a minute in every worker. It does not depend on their
 * Schedules: one that starts nothing is noticed by the age of the last success.
 */
export class SyncWatchdog {
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

  /** Looks at every sync once, and erases whoever had to wait for the end of a run. */
  async look(): Promise<void> {
    try {
      for (const sync of await listSyncs(this.deps.ledger.db)) {
        if (sync.accountId === this.deps.accountId) await this.#lookAt(sync);
      }
    } catch (error) {
      // The ledger does not answer: the next look is in a minute.
      this.outlets.warn(`Syncs were not looked after: ${messageOf(error)}`);
    }
    try {
      await finishErasures(this.deps.ledger.db, this.deps.accountId);
    } catch (error) {
      this.outlets.warn(`Deleted people were not erased from the ledger: ${messageOf(error)}`);
    }
  }

  async #lookAt(sync: Sync): Promise<void> {
    const { db } = this.deps.ledger;
    const { settings, lastSuccessAt, createdAt } = sync;
    const sinceMs = Date.now() - (lastSuccessAt ?? createdAt).getTime();
    const isLate = settings.lateAfterMs !== null && sinceMs > settings.lateAfterMs;
    const name = sync.name ?? sync.id;
    this.outlets.measure(name, sync.accountId, Math.round(sinceMs / 1_000), isLate);
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
