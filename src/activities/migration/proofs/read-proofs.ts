import { setTimeout as delay } from 'node:timers/promises';
import { log } from '@temporalio/activity';
import type { MigrationTiming, TellPastSubmit, Totals } from '../../../contracts/migration.js';
import {
  countJobsPastSubmit,
  countTotals,
  getMigration,
  hasOpenParts,
  jobsToLookUp,
  markLookedUp,
  waitingKinds,
  type Migration,
} from '../../../ledger/index.js';
import type { ActivityDependencies } from '../../dependencies.js';
import { EventProofs } from './event-proofs.js';
import { stoppingFailure } from '../../temporal/failures.js';
import { whileHeartbeating } from '../../temporal/heartbeats.js';
import { MemberProofs } from './member-proofs.js';
import type { Metrics } from '../../temporal/metrics.js';
import { SentFollower } from '../../opt-outs/follow.js';
import type { OptOutWatch } from '../../opt-outs/watch.js';
import { isShortage } from '../../look-ups.js';
import { firstLookMs, sourcesOf, type Sources } from '../../../consent/proof-sources.js';
import { lookUpJob } from '../settle-job.js';
import { whileTelling } from '../tell-migration.js';
import { wakeSettledJobs } from '../wake-jobs.js';

export interface ReadProofsInput {
  readonly migrationId: string;
  /** How long this turn lasts. */
  readonly turnMs: number;
  /** Continue while somebody is followed, even if no row is open: more is sent later. */
  readonly follow: boolean;
  /** When the migration is told before the end of the turn; null for never. */
  readonly tell: TellPastSubmit | null;
  readonly timing: MigrationTiming;
}

export interface ReadProofsResult {
  /** At the end of the turn. */
  readonly totals: Totals;
  /** Jobs that have nothing left to send; 0 once the run is stopped. */
  readonly pastSubmit: number;
  /** No row is open. */
  readonly complete: boolean;
  /**
   * Nothing that was sent is open, and nobody is followed: there is nothing to read until something
   * is sent again.
   */
  readonly idle: boolean;
  /** According to the ledger, which may have an instruction that the workflow does not. */
  readonly paused: boolean;
  /** The same. */
  readonly stopped: boolean;
  /** Why something could not be read that no retry can fix; null if there was nothing. */
  readonly unread: string | null;
}

/** Jobs that are looked up at the same time; the limiter decides how fast they go. */
const LOOK_UPS_AT_ONCE = 4;

export function createReadProofs(
  deps: ActivityDependencies,
  { metrics, optOuts }: { readonly metrics: Metrics; readonly optOuts: OptOutWatch },
) {
  const events = new EventProofs(deps, metrics);
  const members = new MemberProofs(deps);
  const { db } = deps.ledger;
  return {
    /**
     * Reads what Klaviyo shows for all jobs of a migration, settles what it proves, and wakes the
     * jobs whose rows are all settled. If Klaviyo subscribes people who opted out after they were
     * sent, it unsubscribes them again. A source that cannot be read now does not hold up the
     * others.
     */
    async readProofs(input: ReadProofsInput): Promise<ReadProofsResult> {
      return whileHeartbeating(async (signal) => {
        const { migrationId, timing } = input;
        const reading = new Reading(deps, { events, members, optOuts }, timing, signal);
        const tell = input.tell && { ...input.tell, everyMs: timing.readEveryMs };
        await whileTelling(deps, migrationId, tell, () => readInTurn(reading, input, signal));
        const totals = await countTotals(db, migrationId);
        const pastSubmit = await countJobsPastSubmit(db, migrationId);
        const complete = !(await hasOpenParts(db, migrationId));
        const idle = await reading.isIdle(migrationId);
        const { paused, stopped } = await getMigration(db, migrationId);
        return { totals, pastSubmit, complete, idle, paused, stopped, unread: reading.unread };
      });
    },
  };

  /** Reads until the turn is over, or there is nothing to read any more. */
  async function readInTurn(
    reading: Reading,
    { migrationId, turnMs, follow, timing }: ReadProofsInput,
    signal: AbortSignal,
  ): Promise<void> {
    const end = Date.now() + turnMs;
    for (;;) {
      signal.throwIfAborted();
      const migration = await getMigration(db, migrationId);
      await reading.look(migration);
      const left = end - Date.now();
      if (left <= 0) return;
      const complete = !(await hasOpenParts(db, migrationId));
      if (complete && !follow) return;
      if ((complete || migration.paused) && (await reading.isIdle(migrationId))) return;
      if (reading.isBehind) continue;
      await delay(Math.min(left, timing.readEveryMs), undefined, { signal });
    }
  }
}

/** One turn of the reader. */
class Reading {
  readonly #follower: SentFollower;
  #unread: string | null = null;
  #isBehind = false;

  constructor(
    private readonly deps: ActivityDependencies,
    private readonly sources: {
      readonly events: EventProofs;
      readonly members: MemberProofs;
      readonly optOuts: OptOutWatch;
    },
    private readonly timing: MigrationTiming,
    private readonly signal: AbortSignal,
  ) {
    this.#follower = new SentFollower(deps, sources.optOuts, timing);
  }

  get unread(): string | null {
    return this.#unread;
  }

  /** The last look left pages of a feed that it could have read. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  async isIdle(migrationId: string): Promise<boolean> {
    const waits = await waitingKinds(this.deps.ledger.db, migrationId);
    return waits.length === 0 && (await this.#follower.isOver(migrationId));
  }

  async look(migration: Migration): Promise<void> {
    this.#isBehind = false;
    // First and in between, so that a settled job does not wait for unrelated reads.
    await wakeSettledJobs(this.deps, migration.id);
    await this.#try('opt-outs', () => this.#follower.look(migration, this.signal));
    let sources: Sources | null = null;
    await this.#try('feeds', async () => {
      sources = await this.#readFeeds(migration);
    });
    await wakeSettledJobs(this.deps, migration.id);
    const lookUps = sources ?? sourcesOf(migration.settings, false, false);
    await this.#try('look-ups', () => this.#lookUpDueJobs(migration.id, lookUps.lookUps));
    await wakeSettledJobs(this.deps, migration.id);
  }

  async #readFeeds(migration: Migration): Promise<Sources> {
    const { events, members } = this.sources;
    const fromEvents = await events.read(migration, this.signal);
    const hasEvents = fromEvents !== 'refused';
    const sources = sourcesOf(migration.settings, hasEvents, true);
    const fromMembers = sources.listMembers ? await members.read(migration, this.signal) : 'read';
    this.#isBehind = fromEvents === 'more' || fromMembers === 'more';
    return fromMembers === 'refused' ? sourcesOf(migration.settings, hasEvents, false) : sources;
  }

  /**
   * Looks up what is due, until nothing is, no call is free, or opt-outs and feeds have to be read
   * again.
   */
  async #lookUpDueJobs(migrationId: string, lookUps: Sources['lookUps']): Promise<void> {
    const terms = [...lookUps].map(([operation, when]) => ({
      operation,
      firstMs: firstLookMs(when, this.timing),
      looks: when !== 'never',
    }));
    const end = performance.now() + this.timing.readEveryMs;
    do {
      const { db } = this.deps.ledger;
      const due = await jobsToLookUp(db, migrationId, terms, LOOK_UPS_AT_ONCE);
      if (due.length === 0) return;
      const ended = await Promise.allSettled(
        due.map(async (job) => {
          await this.#lookUp(migrationId, job.jobNumber);
          await markLookedUp(db, migrationId, job);
        }),
      );
      for (const look of ended) if (look.status === 'rejected') throw look.reason;
    } while (performance.now() < end);
  }

  async #lookUp(migrationId: string, jobNumber: number): Promise<void> {
    try {
      const job = { migrationId, jobNumber, final: false, timing: this.timing };
      await lookUpJob(this.deps, job, this.signal);
    } catch (error) {
      // Only this job fails, e.g. because its list is gone: the others are still looked up.
      this.#noteForGood('look-ups', error);
    }
  }

  /**
   * If no call is free or Klaviyo does not answer, the next look tries again and the other reads go
   * on. They also go on after a permanent failure, so that nobody stays subscribed against their
   * opt-out.
   */
  async #try(what: string, read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      if (!isShortage(error)) return this.#noteForGood(what, error);
      log.debug('Klaviyo could not be read just now', { what, failure: error.failure });
    }
  }

  /** @throws what a retry may fix */
  #noteForGood(what: string, error: unknown): void {
    const failure = stoppingFailure(error);
    if (failure === null) throw error;
    if (this.#unread === null)
      log.warn('Klaviyo can’t be read', { what, failure: failure.message });
    this.#unread = failure.message;
  }
}
