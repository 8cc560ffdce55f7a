import {
  begunWantedRuns,
  claimWantedRun,
  dropWantedRun,
  getSync,
  pruneWebhookEvents,
} from '../../ledger/index.js';
import { workflowIds } from '../../contracts/names.js';
import { redact } from '../../runtime/redact.js';
import type { Reach } from '../reach.js';
import { scheduleState, triggerSchedule } from '../schedules.js';
import { isOpen, startSync } from '../syncs/start-sync.js';
import type { HookEvent } from './events.js';
import type { ListeningSync } from './receiver.js';

/** All in milliseconds. */
export interface Pace {
  /** Between two looks at what is wanted. */
  readonly lookEveryMs: number;
  /** From the first event to a run, so that many make one run. */
  readonly gatherMs: number;
  /** Between two attempts to start a run of one sync, whether the first did or not. */
  readonly pauseMs: number;
}

export const PACE: Pace = { lookEveryMs: 1_000, gatherMs: 2_000, pauseMs: 10_000 };

const PRUNE_EVERY_MS = 3_600_000;

/**
 * Starts the runs that webhooks made wanted. What is wanted is in the ledger, so that it outlives this
 * process and any of several does it: a wish ends when a run begins after it, not when one is asked
 * for. Each attempt may be lost, and is repeated then.
 */
export class WantedRuns {
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #prunedAt = -Infinity;
  /** By sync, what was said last: it is not said again and again. */
  readonly #said = new Map<string, string>();

  constructor(
    private readonly reach: Reach,
    private readonly syncs: readonly ListeningSync[],
    private readonly tell: (event: HookEvent) => void,
    private readonly pace: Pace = PACE,
  ) {}

  start(): void {
    this.#timer = setInterval(() => {
      this.#looking ??= this.look().finally(() => (this.#looking = null));
    }, this.pace.lookEveryMs);
  }

  /** What is wanted and not started stays in the ledger for the next listener. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#looking;
  }

  /** Looks once at what is wanted. */
  async look(): Promise<void> {
    const { db } = this.reach.ledger;
    try {
      await this.#prune();
      const ids = this.syncs.map(({ id }) => id);
      for (const { syncId, runId } of await begunWantedRuns(db, ids)) {
        const sync = this.syncs.find(({ id }) => id === syncId)?.name ?? syncId;
        this.#said.delete(sync);
        this.tell({ event: 'started', sync, runId });
      }
      for (const sync of this.syncs) {
        if (await claimWantedRun(db, sync.id, this.pace)) await this.#begin(sync);
      }
      this.#said.delete('');
    } catch (error) {
      const why = `The ledger does not answer, and is asked again: ${messageOf(error)}`;
      if (this.#isNew('', why)) this.tell({ event: 'waiting', why });
    }
  }

  async #begin(sync: ListeningSync): Promise<void> {
    try {
      await this.#start(sync);
    } catch (error) {
      this.#say(sync, `It is tried again: ${messageOf(error)}`);
    }
  }

  /** @throws NoWorkerError, SyncIsRunningError, and what Temporal and the ledger throw */
  async #start(listening: ListeningSync): Promise<void> {
    const { id, name, accountId } = listening;
    const { client, ledger } = this.reach;
    const sync = await getSync(ledger.db, id);
    if (sync.settings.isRemoved === true) {
      await dropWantedRun(ledger.db, id);
      return this.#say(listening, 'consentry.yaml no longer has this sync, as it was applied.');
    }
    const schedule = await scheduleState(client, workflowIds.sync(id));
    if (schedule?.paused === true) {
      await dropWantedRun(ledger.db, id);
      return this.#say(
        listening,
        `It is paused, and its first run after that reads what changed: consentry sync unpause ${name}`,
      );
    }
    if (schedule !== null) return triggerSchedule(client, workflowIds.sync(id));
    // Nothing was heard of it for long, but it is there.
    if (await isOpen(client, workflowIds.sync(id))) return;
    const { taskQueue } = await this.reach.workersOf(accountId);
    const how = { full: false, reset: false, secret: null, isWaitedFor: false };
    await startSync(this.reach, sync, taskQueue, how);
  }

  async #prune(): Promise<void> {
    const now = performance.now();
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return;
    for (const { id } of this.syncs) await pruneWebhookEvents(this.reach.ledger.db, id);
    this.#prunedAt = now;
  }

  #say({ name }: ListeningSync, why: string): void {
    if (this.#isNew(name, why)) this.tell({ event: 'not_started', sync: name, why });
  }

  #isNew(about: string, words: string): boolean {
    if (this.#said.get(about) === words) return false;
    this.#said.set(about, words);
    return true;
  }
}

function messageOf(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error));
}
