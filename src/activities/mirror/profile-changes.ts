import { setTimeout as delay } from 'node:timers/promises';
import { log } from '@temporalio/activity';
import { toMirrored } from '../../consent/mirrored.js';
import { CALL_LIMITS, JOB_SIZE } from '../../contracts/limits.js';
import type { OptOutTiming } from '../../contracts/migration.js';
import type { ProfileConsent, ProfilePage } from '../../klaviyo/index.js';
import {
  completeMirror,
  feedWasRead,
  forgetPeople,
  keepFeed,
  ledgerTime,
  mirrorOf,
  PROFILES_FEED,
  releaseFeed,
  rememberedPeople,
  rememberPeople,
  rowsOfSource,
  takeFeed,
  unreadRows,
  type Migration,
  type Mirror,
} from '../../ledger/index.js';
import { together } from '../at-once.js';
import type { ActivityDependencies } from '../dependencies.js';
import { isShortage } from '../look-ups.js';
import { isRefused, type OptOutWatch } from '../opt-outs/watch.js';
import { Persistence } from '../temporal/persistence.js';
import { addressesOf, apart, isFed, isFedRow, isKnown, KNOWN_FOR_MS } from './known.js';
import { stopwatch } from '../stopwatch.js';

/** Changes become visible out of order: each read begins this long before the last one. */
export const CHANGES_LATE_MS = 5 * 60_000;

/** With fewer calls to save, people are looked up. */
const LEAST_PAGES = 5;

/** What may be spent on reading changes, of the look-ups that this saves. */
const SHARE_FOR_CHANGES = 1 / 2;

/** The same on reading the whole account, which may be far larger than the source. */
const SHARE_FOR_WHOLE = 1 / 10;

const KEEP_EVERY_MS = 10_000;
const LOOK_AGAIN_MS = 250;

interface Reading {
  /** The whole account, or what changed since the last reading. */
  readonly whole: boolean;
  /** Pages after which it is given up. */
  readonly pages: number;
}

interface Pages {
  /** By Klaviyo's clock; null for all profiles. */
  readonly since: Date | null;
  readonly pages: number;
  /** Ends the reading. */
  readonly until: (profiles: readonly ProfileConsent[]) => boolean;
}

/**
 * Keeps the mirror of an account up to date: reads the profiles that changed, once for all runs, and
 * with them the feeds of opt-outs, since some opt-outs do not count as a change of the profile.
 */
export class ProfileChanges {
  constructor(
    private readonly deps: ActivityDependencies,
    private readonly optOuts: OptOutWatch,
  ) {}

  /**
   * Reads what changed, where that saves the run more calls than it takes; or the whole account,
   * where that seems cheap. Both are given up if there is more to read, if Klaviyo refuses it or has
   * no calls left for it, or if another run is at it: then people are looked up. Forgets what is too
   * old to be relied on.
   */
  async read(migration: Migration, timing: OptOutTiming, signal: AbortSignal): Promise<void> {
    const { accountId, settings } = migration;
    const { db } = this.deps.ledger;
    await forgetPeople(db, accountId, KNOWN_FOR_MS);
    if (settings.mirror === 'off' || !settings.channels.some(isFed)) return;
    const reading = await this.#worthReading(migration, await mirrorOf(db, accountId));
    if (reading === null) return;
    const began = performance.now();
    try {
      while (!(await this.#readOnce(migration, reading, timing, signal))) {
        if (settings.mirror === 'auto') return;
        await delay(LOOK_AGAIN_MS, undefined, { signal });
        const ageMs = (await mirrorOf(db, accountId))?.ageMs ?? Infinity;
        if (ageMs < performance.now() - began) return;
      }
    } catch (error) {
      if (!isShortage(error) && !isRefused(error)) throw error;
      log.warn('Profiles that changed can’t be read; everybody is looked up', {
        failure: error.message,
      });
    }
  }

  async #worthReading(migration: Migration, mirror: Mirror | null): Promise<Reading | null> {
    const { id, accountId, settings } = migration;
    const { db } = this.deps.ledger;
    const isOutdated = mirror !== null && mirror.complete && mirror.wholeMs > KNOWN_FOR_MS;
    if (settings.mirror === 'always')
      return { whole: mirror === null || isOutdated, pages: Infinity };
    const sample = await unreadRows(db, id, 0, JOB_SIZE);
    const fed = sample.filter(isFedRow);
    const addresses = fed.flatMap(addressesOf);
    if (addresses.length === 0) return null;
    const perRow = addresses.length / sample.length / CALL_LIMITS.lookUp;
    const lookUps = (await rowsOfSource(db, id)) * perRow;
    if (mirror !== null) {
      const remembered = await rememberedPeople(db, accountId, addresses);
      const knowledge = { remembered, mirror, coveredMs: KNOWN_FOR_MS, settings };
      const known = fed.filter((row) => isKnown(row, knowledge)).length;
      const pages = (known / fed.length) * lookUps * SHARE_FOR_CHANGES;
      if (pages >= LEAST_PAGES) return { whole: false, pages };
      if (mirror.complete && !isOutdated) return null;
    }
    const pages = lookUps * SHARE_FOR_WHOLE;
    return pages >= LEAST_PAGES ? { whole: true, pages } : null;
  }

  /** @returns false if another worker is reading */
  async #readOnce(
    { accountId, settings }: Migration,
    { whole, pages }: Reading,
    timing: OptOutTiming,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { ledger, klaviyo } = this.deps;
    const { db } = ledger;
    const now = klaviyo.now()?.earliest ?? new Date();
    const beganInLedger = await ledgerTime(db);
    const tookMs = stopwatch();
    const taken = await takeFeed(db, accountId, PROFILES_FEED, now);
    if (taken === null) return false;
    // If the lease cannot be extended, another worker reads them too, which does no harm.
    const keeping = setInterval(
      () => void keepFeed(db, accountId, PROFILES_FEED).catch(() => undefined),
      KEEP_EVERY_MS,
    );
    let isRead = false;
    try {
      const backMs = whole ? 1 : Math.min(taken.wholeMs ?? 1, KNOWN_FOR_MS);
      const saves = settings.mirror === 'auto';
      const since = whole ? null : new Date(taken.since.getTime() - CHANGES_LATE_MS);
      // Where somebody opted out, the whole account does not show who is new in it: see `isKnown`.
      const until = whole && saves && !settings.absentIsNew ? someSayNo : () => false;
      const [areAllRead] = await together(
        signal,
        (either: AbortSignal) => this.#readPages(accountId, { since, pages, until }, either),
        (either) => this.optOuts.read({ accountId, ...settings }, timing, either, backMs),
      );
      if (!areAllRead) return true;
      await db.transaction().execute(async (tx) => {
        const read = { since: now, tookMs: tookMs() };
        await feedWasRead(tx, accountId, PROFILES_FEED, whole ? { ...read, wholeMs: 0 } : read);
        if (whole) await completeMirror(tx, accountId, beganInLedger);
      });
      isRead = true;
      return true;
    } finally {
      clearInterval(keeping);
      if (!isRead) await releaseFeed(db, accountId, PROFILES_FEED);
    }
  }

  /** @returns whether all were read */
  async #readPages(
    accountId: string,
    { since, pages, until }: Pages,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { ledger, klaviyo } = this.deps;
    const query = { since: since?.toISOString() ?? null };
    const persistence = new Persistence(signal);
    const readPage = (cursor: string | null): Promise<DatedPage> =>
      persistence.whileShort(async () => {
        const readAt = await ledgerTime(ledger.db);
        return { ...(await klaviyo.listChanged({ ...query, cursor }, { signal })), readAt };
      });
    let reading = readPage(null);
    for (let page = 1; ; page += 1) {
      const { profiles, next, readAt } = await reading;
      const isEnough = until(profiles) || (next !== null && page >= pages);
      // The next page is on its way while this one is stored.
      if (next !== null && !isEnough) reading = handled(readPage(next));
      await rememberPeople(ledger.db, accountId, {
        profiles: apart(profiles).map(toMirrored),
        addresses: [],
        readAt,
      });
      if (isEnough) return false;
      if (next === null) return true;
    }
  }
}

/** A page, and when it was asked for by the ledger's clock. */
interface DatedPage extends ProfilePage {
  readonly readAt: string;
}

/** Its failure is met when it is waited for, which may be never. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

function someSayNo(profiles: readonly ProfileConsent[]): boolean {
  return profiles.some((profile) => toMirrored(profile).saysNo);
}
