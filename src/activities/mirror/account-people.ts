import { judgePerson, type Judgement } from '../../consent/judge.js';
import { foldEmail } from '../../contracts/addresses.js';
import type { OptOutTiming } from '../../contracts/migration.js';
import {
  beginMirror,
  coverageOf,
  mirrorOf,
  optOutsOf,
  rememberedPeople,
  rememberPeople,
  type Migration,
  type OpenRow,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { byKlaviyosClock } from '../klaviyo-time.js';
import type { LookedUp } from '../look-ups.js';
import type { OptOutWatch } from '../opt-outs/watch.js';
import {
  addressesOf,
  indexOf,
  isFedRow,
  isKnown,
  isStranger,
  lookedUpProfiles,
  mayRelyOn,
} from './known.js';

/** The mirror begins before its first look-up: others that are under way then count too. */
const BEGINS_BEFORE_MS = 60_000;

/** What is known of rows without a look-up. */
export interface Recalled {
  readonly judgements: readonly Judgement[];
  /** The rows that are left to look up. */
  readonly left: readonly OpenRow[];
  /** Everything that is recalled was true so many milliseconds ago. */
  ageMs(): number;
}

/**
 * What Klaviyo holds of an account's people, remembered across runs: nobody is looked up twice while
 * `ProfileChanges` keeps it up to date.
 */
export class AccountPeople {
  /** Accounts whose mirror has begun. */
  readonly #begun = new Set<string>();

  constructor(
    private readonly deps: ActivityDependencies,
    private readonly optOuts: OptOutWatch,
  ) {}

  /**
   * Remembers what a look-up of these rows showed.
   *
   * @param read.readAt when it was asked for, by the ledger's clock
   * @param read.tookMs time since then, as the worker counts it
   */
  async remember(
    { accountId, settings }: Migration,
    people: LookedUp,
    rows: readonly OpenRow[],
    { readAt, tookMs }: { readonly readAt: string; readonly tookMs: number },
  ): Promise<void> {
    if (settings.mirror === 'off') return;
    const { ledger, klaviyo } = this.deps;
    if (!this.#begun.has(accountId)) {
      const now = klaviyo.now()?.earliest.getTime() ?? Date.now();
      const beganMs = tookMs + BEGINS_BEFORE_MS;
      await beginMirror(ledger.db, accountId, { since: new Date(now - beganMs), tookMs: beganMs });
      this.#begun.add(accountId);
    }
    await rememberPeople(ledger.db, accountId, {
      profiles: lookedUpProfiles(people.profiles),
      addresses: rows.flatMap(addressesOf).map(({ spelling }) => spelling),
      readAt,
    });
  }

  /**
   * Those of the rows that have to be looked up whatever the changes of the account's profiles show.
   *
   * @returns null if nobody is recalled for this run
   */
  async strangersAmong(
    migration: Migration,
    rows: readonly OpenRow[],
  ): Promise<readonly OpenRow[] | null> {
    const { accountId, settings } = migration;
    const { db } = this.deps.ledger;
    if (!this.#recallsFor(migration)) return null;
    const mirror = await mirrorOf(db, accountId);
    if (mirror === null) return null;
    const addresses = rows.filter(isFedRow).flatMap(addressesOf);
    const remembered = await rememberedPeople(db, accountId, addresses);
    return rows.filter((row) => isStranger(row, { remembered, mirror, settings }));
  }

  /**
   * Judges the rows whose people are known well enough, as of when the mirror was last brought up to
   * date.
   *
   * @param maxAgeMs how old what is known of a row may be, in milliseconds
   */
  async recall(
    migration: Migration,
    rows: readonly OpenRow[],
    timing: OptOutTiming,
    maxAgeMs: (row: OpenRow) => number,
  ): Promise<Recalled> {
    const { accountId, settings } = migration;
    const { db } = this.deps.ledger;
    const nothing: Recalled = { judgements: [], left: rows, ageMs: () => 0 };
    const askedAt = performance.now();
    if (!this.#recallsFor(migration)) return nothing;
    const mirror = await mirrorOf(db, accountId);
    if (mirror === null || mirror.ageMs === null) return nothing;
    const feeds = this.optOuts.feedsOf({ accountId, ...settings }, timing);
    const covered = await coverageOf(db, accountId, feeds);
    if (covered === null) return nothing;
    const { coveredMs } = covered;
    // Another run may have read the profiles, but not the opt-outs that count for this one.
    const ageMs = Math.max(mirror.ageMs, covered.ageMs);
    const asked = rows.filter((row) => isFedRow(row) && maxAgeMs(row) >= ageMs);
    if (asked.length === 0) return nothing;
    const remembered = await rememberedPeople(db, accountId, asked.flatMap(addressesOf));
    const known = asked.filter((row) => isKnown(row, { remembered, mirror, coveredMs, settings }));
    const { index, oldestMs } = indexOf(remembered);
    const optOuts = await optOutsOf(
      db,
      accountId,
      known.flatMap(identifiersOf),
      Math.max(oldestMs, ageMs),
    );
    const optedOut = new Set(optOuts.map(({ identifier }) => identifier));
    const run = {
      ...settings,
      startedAt: byKlaviyosClock(this.deps.klaviyo, migration.askedAt),
    };
    const judged = new Map<number, Judgement>();
    for (const row of known) {
      const judgement = judgePerson(row, { held: index.heldFor(row), optOuts: [] }, run);
      const isOut = identifiersOf(row).some((identifier) => optedOut.has(identifier));
      if (mayRelyOn(judgement, row, isOut)) judged.set(row.rowNumber, judgement);
    }
    return {
      judgements: [...judged.values()],
      left: rows.filter(({ rowNumber }) => !judged.has(rowNumber)),
      ageMs: () => ageMs + performance.now() - askedAt,
    };
  }

  /**
   * Without Klaviyo's time it is not known what was before the run and what after. Nor is it known from
   * memory who left the list that people are moved from.
   */
  #recallsFor({ settings }: Migration): boolean {
    const { mirror, moveFrom } = settings;
    return mirror !== 'off' && moveFrom === null && this.deps.klaviyo.now() !== null;
  }
}

function identifiersOf(one: {
  readonly email: string | null;
  readonly phoneNumber: string | null;
}): string[] {
  return [foldEmail(one.email), one.phoneNumber].filter((identifier) => identifier !== null);
}
