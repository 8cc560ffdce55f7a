import { setTimeout as delay } from 'node:timers/promises';
import type { OptOutTiming } from '../../contracts/migration.js';
import { findRepairs, watchLeft, type Migration } from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { repairOptOuts } from './repair.js';
import type { OptOutWatch } from './watch.js';

/**
 * Follows the people whom one run asked Klaviyo to subscribe, look by look. Reads who opts out, and
 * unsubscribes those whose opt-out became known only after they were sent.
 */
export class SentFollower {
  /** The last look was complete, began after the period, and left nobody to unsubscribe. */
  #hasEnded = false;
  /** Somebody may still have to be unsubscribed. */
  #isRepairing = false;
  #unsubscribed = 0;

  constructor(
    private readonly deps: ActivityDependencies,
    private readonly optOuts: OptOutWatch,
    private readonly timing: OptOutTiming,
  ) {}

  /** Rows that were subscribed against an opt-out and unsubscribed again. */
  get unsubscribed(): number {
    return this.#unsubscribed;
  }

  /**
   * Makes one look, if one is due. People known to have opted out are handled even if nothing new
   * can be read.
   *
   * @throws after that, why the opt-outs of the account could not be read
   */
  async look(migration: Migration, signal: AbortSignal): Promise<void> {
    // Before anything is read: the last look must include everything until the end of the period.
    const left = await this.#left(migration.id);
    if (left === null || (left === 0 && this.#hasEnded)) return;
    this.#hasEnded = false;
    this.#isRepairing = false;
    const read = { isOver: false };
    const reading = this.#readOptOuts(migration, signal).finally(() => (read.isOver = true));
    // A reading may take minutes: people on its first pages are handled before its last page.
    for (let isLast = false; !isLast;) {
      await Promise.race([reading, delay(this.timing.readEveryMs, undefined, { signal })]);
      isLast = read.isOver;
      await this.#repair(migration, signal);
    }
    const failure = await reading;
    if (failure !== null) throw failure;
    this.#hasEnded = left === 0 && !this.#isRepairing;
  }

  async #repair(migration: Migration, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await findRepairs(this.deps.ledger.db, migration.id);
    const { appliedWithinMs } = this.timing;
    const repairing = { jobNumber: null, appliedWithinMs, final: false };
    const { unsubscribed, watched } = await repairOptOuts(this.deps, migration, repairing, signal);
    this.#unsubscribed += unsubscribed;
    this.#isRepairing = watched;
  }

  /** Nothing that the run has sent so far needs following. */
  async isOver(migrationId: string): Promise<boolean> {
    const left = await this.#left(migrationId);
    return left === null || (left === 0 && this.#hasEnded);
  }

  /** The same, except that the last look may have failed. */
  async isPast(migrationId: string): Promise<boolean> {
    return ((await this.#left(migrationId)) ?? 0) === 0 && !this.#isRepairing;
  }

  async #readOptOuts(
    { accountId, settings: { listId, channels } }: Migration,
    signal: AbortSignal,
  ): Promise<Error | null> {
    try {
      await this.optOuts.read({ accountId, listId, channels }, this.timing, signal);
      return null;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return error;
    }
  }

  async #left(migrationId: string): Promise<number | null> {
    const { appliedWithinMs, optOutsLateMs } = this.timing;
    return watchLeft(this.deps.ledger.db, migrationId, appliedWithinMs + optOutsLateMs);
  }
}
