import { setTimeout as delay } from 'node:timers/promises';
import { log } from '@temporalio/activity';
import type { Channel } from '../../contracts/channels.js';
import type { OptOutTiming } from '../../contracts/migration.js';
import { KlaviyoRefusedError, KlaviyoScopeMissingError } from '../../klaviyo/index.js';
import {
  dueFeeds,
  feedWasRead,
  keepFeed,
  noteOptOuts,
  releaseFeed,
  takeFeed,
  watchedForMs,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { Metrics } from '../temporal/metrics.js';
import { optOutFeeds, type OptOutFeed, type OptOutSources } from './feeds.js';
import { ListNames } from './list-names.js';

/** Whoever waits for another worker's reading looks again after this. */
const LOOK_AGAIN_MS = 250;

/** A feed whose later pages are refused is read anew so often. */
const READ_ATTEMPTS = 3;

/** Whoever reads says so again after this, also while a page is long in coming. */
const KEEP_EVERY_MS = 10_000;

/** The first reading begins so long before whoever was read longest ago. */
const MARGIN_MS = 5 * 60_000;

/** Whose opt-outs are watched. */
export interface WatchedRun {
  readonly accountId: string;
  readonly listId: string | null;
  readonly channels: readonly Channel[];
}

/**
 * Reads who opts out of an account, for all of its runs together: whichever worker needs to know reads
 * what is due, and the others wait for it.
 */
export class OptOutWatch {
  readonly #sources: OptOutSources;

  constructor(
    private readonly deps: ActivityDependencies,
    metrics: Metrics,
  ) {
    const { klaviyo } = deps;
    this.#sources = { klaviyo, metrics, lists: new ListNames(klaviyo) };
  }

  /**
   * Ends when every feed has been read no longer ago than it may be, or since it was called: whoever
   * opted out before that is in the ledger.
   *
   * @throws what kept a feed from being read: nobody is subscribed on an old reading
   */
  async read(run: WatchedRun, timing: OptOutTiming, signal: AbortSignal): Promise<void> {
    const feeds = optOutFeeds(this.#sources, run, timing);
    const isSeldom = ({ maxAgeMs }: OptOutFeed) => maxAgeMs > timing.optOutsMaxAgeMs;
    const seldom = feeds.filter(isSeldom);
    const often = feeds.filter((feed) => !isSeldom(feed));
    // What is read seldom may take minutes: the others are read meanwhile, and are new at its end.
    let isOver = false;
    const reading = this.#readDue(run, seldom, timing, signal).finally(() => (isOver = true));
    const readOften = async () => {
      for (;;) {
        const wasOver = isOver;
        await this.#readDue(run, often, timing, signal);
        if (wasOver) return;
        await Promise.race([reading, delay(timing.optOutsMaxAgeMs, undefined, { signal })]);
      }
    };
    for (const read of await Promise.allSettled([reading, readOften()])) {
      if (read.status === 'rejected') throw read.reason;
    }
  }

  async #readDue(
    run: WatchedRun,
    feeds: readonly OptOutFeed[],
    timing: OptOutTiming,
    signal: AbortSignal,
  ): Promise<void> {
    const { db } = this.deps.ledger;
    const calledAt = performance.now();
    for (;;) {
      signal.throwIfAborted();
      const waitingMs = performance.now() - calledAt;
      const due = new Set(await dueFeeds(db, run.accountId, feeds, waitingMs));
      if (due.size === 0) return;
      const reading = await Promise.allSettled(
        feeds
          .filter(({ feed }) => due.has(feed))
          .map((feed) => this.#readOnce(run.accountId, feed, timing, signal)),
      );
      for (const read of reading) if (read.status === 'rejected') throw read.reason;
      const elsewhere = reading.some((read) => read.status === 'fulfilled' && !read.value);
      if (elsewhere) await delay(LOOK_AGAIN_MS, undefined, { signal });
    }
  }

  /** @returns false where somebody else reads it now */
  async #readOnce(
    accountId: string,
    feed: OptOutFeed,
    timing: OptOutTiming,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { ledger, klaviyo } = this.deps;
    const { db } = ledger;
    const now = klaviyo.now()?.earliest.getTime() ?? Date.now();
    const needed = now - (await watchedForMs(db, accountId, timing.consentMaxAgeMs)) - MARGIN_MS;
    const taken = await takeFeed(db, accountId, feed.feed, new Date(needed));
    if (taken === null) return false;
    // What was said before anybody was read who may still be sent is in the readings themselves.
    const since = new Date(Math.max(taken.since.getTime() - feed.lateMs, needed - feed.lateMs));
    const began = performance.now();
    const read = { since: new Date(now), tookMs: () => performance.now() - began };
    // A feed that could not be kept is read by somebody else besides, which does no harm.
    const keeping = setInterval(
      () => void keepFeed(db, accountId, feed.feed).catch(() => undefined),
      KEEP_EVERY_MS,
    );
    try {
      await this.#readWhole(accountId, feed, since, signal);
      await feedWasRead(db, accountId, feed.feed, { since: read.since, tookMs: read.tookMs() });
    } catch (error) {
      if (feed.optional && isRefused(error)) {
        // Look-ups alone have to do, and the preflight has said so.
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

  /** A page in the middle that is refused, as its cursor is too old, says nothing of the feed. */
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

/** The key may not read it, or the account has no such feed. */
function isRefused(error: unknown): error is KlaviyoScopeMissingError | KlaviyoRefusedError {
  return error instanceof KlaviyoScopeMissingError || error instanceof KlaviyoRefusedError;
}
