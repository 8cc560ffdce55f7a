import { setTimeout as delay } from 'node:timers/promises';
import { log } from '@temporalio/activity';
import type { Channel } from '../../contracts/channels.js';
import type { OptOutTiming } from '../../contracts/migration.js';
import {
  KlaviyoRefusedError,
  KlaviyoScopeMissingError,
  type ProfileConsent,
} from '../../klaviyo/index.js';
import {
  dueFeeds,
  feedWasRead,
  keepFeed,
  noteOptOuts,
  releaseFeed,
  ledgerTime,
  rememberPeople,
  takeFeed,
  watchedForMs,
  type AccountFeed,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { toMirrored } from '../../consent/mirrored.js';
import { apart } from '../mirror/known.js';
import type { Metrics } from '../temporal/metrics.js';
import { optOutFeeds, type OptOutFeed, type OptOutSources } from './feeds.js';
import { ListNames } from './list-names.js';
import { stopwatch } from '../stopwatch.js';

/** A worker that waits for another one's reading checks again after this. */
const LOOK_AGAIN_MS = 250;

/** Attempts to read a feed from the start if a later page is refused. */
const READ_ATTEMPTS = 3;

/** How often the lease of a feed is extended while it is read, even during a slow page. */
const KEEP_EVERY_MS = 10_000;

/** The first reading begins this long before the oldest consent reading still in use. */
const MARGIN_MS = 5 * 60_000;

/** Whose opt-outs are watched. */
export interface WatchedRun {
  readonly accountId: string;
  readonly listId: string | null;
  readonly channels: readonly Channel[];
}

/** How the feeds are read. */
interface Reading {
  readonly timing: OptOutTiming;
  /** How long nothing may have been missed. */
  readonly backMs: number;
}

/**
 * Reads the opt-outs of an account for all of its runs. The first worker that needs a due feed
 * reads it, and the others wait.
 */
export class OptOutWatch {
  readonly #sources: Omit<OptOutSources, 'remember' | 'time'>;

  constructor(
    private readonly deps: ActivityDependencies,
    metrics: Metrics,
  ) {
    const { klaviyo } = deps;
    this.#sources = { klaviyo, metrics, lists: new ListNames(klaviyo) };
  }

  /**
   * Returns when the last reading of every feed is recent enough, or newer than this call. Opt-outs
   * before that are in the ledger.
   *
   * @param backMs how far back, in milliseconds, the feeds must have been read without a gap; 0 for
   *   as far as consent readings in use need it
   * @returns the keys of the feeds
   * @throws why a feed could not be read: nobody is subscribed on an old reading
   */
  async read(
    run: WatchedRun,
    timing: OptOutTiming,
    signal: AbortSignal,
    backMs = 0,
  ): Promise<string[]> {
    const feeds = this.#feeds(run, timing);
    const isRare = ({ maxAgeMs }: OptOutFeed) => maxAgeMs > timing.optOutsMaxAgeMs;
    const rare = feeds.filter(isRare);
    const frequent = feeds.filter((feed) => !isRare(feed));
    // A rarely read feed may take minutes: the others are read meanwhile, and are fresh at its end.
    const how = { timing, backMs };
    let isOver = false;
    const reading = this.#readDue(run, rare, how, signal).finally(() => (isOver = true));
    const readFrequent = async () => {
      for (;;) {
        const wasOver = isOver;
        await this.#readDue(run, frequent, how, signal);
        if (wasOver) return;
        await Promise.race([reading, delay(timing.optOutsMaxAgeMs, undefined, { signal })]);
      }
    };
    for (const read of await Promise.allSettled([reading, readFrequent()])) {
      if (read.status === 'rejected') throw read.reason;
    }
    return feeds.map(({ feed }) => feed);
  }

  /** The keys of the feeds that show the opt-outs of these people. */
  feedsOf(run: WatchedRun, timing: OptOutTiming): string[] {
    return this.#feeds(run, timing).map(({ feed }) => feed);
  }

  #feeds(run: WatchedRun, timing: OptOutTiming): OptOutFeed[] {
    const { db } = this.deps.ledger;
    const remember = async (profiles: readonly ProfileConsent[], readAt: string) =>
      rememberPeople(db, run.accountId, {
        profiles: apart(profiles).map(toMirrored),
        addresses: [],
        readAt,
      });
    return optOutFeeds({ ...this.#sources, remember, time: () => ledgerTime(db) }, run, timing);
  }

  async #readDue(
    run: WatchedRun,
    feeds: readonly OptOutFeed[],
    how: Reading,
    signal: AbortSignal,
  ): Promise<void> {
    const { db } = this.deps.ledger;
    // Rather too few than too many, unlike `stopwatch`: a feed that was read before is none of these.
    const calledAt = performance.now();
    for (;;) {
      signal.throwIfAborted();
      const waitingMs = performance.now() - calledAt;
      const due = new Set(await dueFeeds(db, run.accountId, feeds, waitingMs, how.backMs));
      if (due.size === 0) return;
      const reading = await Promise.allSettled(
        feeds
          .filter(({ feed }) => due.has(feed))
          .map((feed) => this.#readOnce(run.accountId, feed, how, signal)),
      );
      for (const read of reading) if (read.status === 'rejected') throw read.reason;
      const elsewhere = reading.some((read) => read.status === 'fulfilled' && !read.value);
      if (elsewhere) await delay(LOOK_AGAIN_MS, undefined, { signal });
    }
  }

  /** @returns false if another worker is reading it */
  async #readOnce(
    accountId: string,
    feed: OptOutFeed,
    { timing, backMs }: Reading,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { ledger, klaviyo } = this.deps;
    const { db } = ledger;
    const now = klaviyo.now()?.earliest.getTime() ?? Date.now();
    const watchedMs = await watchedForMs(db, accountId, timing.consentMaxAgeMs);
    const neededMs = Math.max(watchedMs, backMs) + MARGIN_MS;
    const needed = now - neededMs;
    const taken = await takeFeed(db, accountId, feed.feed, new Date(needed));
    if (taken === null) return false;
    const { from, wholeMs } = beginningOf(taken, { needed, neededMs, backMs });
    const since = new Date(from - feed.lateMs);
    const read = { since: new Date(now), tookMs: stopwatch() };
    // If the lease cannot be extended, another worker reads the feed too, which does no harm.
    const keeping = setInterval(
      () => void keepFeed(db, accountId, feed.feed).catch(() => undefined),
      KEEP_EVERY_MS,
    );
    try {
      await this.#readWhole(accountId, feed, since, signal);
      await feedWasRead(db, accountId, feed.feed, {
        since: read.since,
        tookMs: read.tookMs(),
        wholeMs,
      });
    } catch (error) {
      if (feed.optional && isRefused(error)) {
        // Look-ups replace the feed, as the preflight has warned.
        if (!taken.unreadable)
          log.warn('Opt-outs can’t be read', { feed: feed.feed, failure: error.failure });
        const unreadable = { since: taken.since, tookMs: 0, unreadable: true };
        await feedWasRead(db, accountId, feed.feed, unreadable);
        return true;
      }
      await releaseFeed(db, accountId, feed.feed);
      throw error;
    } finally {
      clearInterval(keeping);
    }
    return true;
  }

  /**
   * Starts again if a later page is refused, since its cursor may be too old. Only a refused first
   * page means that the feed is refused.
   */
  async #readWhole(
    accountId: string,
    feed: OptOutFeed,
    since: Date,
    signal: AbortSignal,
  ): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      let pages = 0;
      try {
        for await (const optOuts of feed.read(since, signal)) {
          await noteOptOuts(this.deps.ledger.db, accountId, optOuts);
          pages += 1;
        }
        return;
      } catch (error) {
        if (pages === 0 || attempt === READ_ATTEMPTS || !isRefused(error)) throw error;
      }
    }
  }
}

/**
 * Where the next read of a feed begins, and since when nothing is missed after it; `undefined` if
 * that does not change. What came before `needed` is shown by the consent readings in use, so a feed
 * that was not read for long goes on from there, with a gap.
 */
function beginningOf(
  { since, wholeMs }: AccountFeed,
  { needed, neededMs, backMs }: { needed: number; neededMs: number; backMs: number },
): { readonly from: number; readonly wholeMs: number | undefined } {
  const isWhole = wholeMs !== null && wholeMs >= backMs;
  const leavesGap = since.getTime() <= needed;
  if (leavesGap || (backMs > 0 && !isWhole)) return { from: needed, wholeMs: neededMs };
  return { from: since.getTime(), wholeMs: undefined };
}

/** The key may not read it, or the account has no such feed. */
export function isRefused(error: unknown): error is KlaviyoScopeMissingError | KlaviyoRefusedError {
  return error instanceof KlaviyoScopeMissingError || error instanceof KlaviyoRefusedError;
}
