import {
  KlaviyoRefusedError,
  KlaviyoScopeMissingError,
  type KlaviyoClient,
} from '../../../klaviyo/index.js';
import type { FeedPlace, Migration } from '../../../ledger/index.js';

/** What becomes visible out of order is read again within this time. */
const OVERLAP_MS = 2_000;

/** Pages that are read in one go: whoever reads has other things to do in between. */
const PAGES_AT_ONCE = 20;

/**
 * Where the feed of a migration begins: as long ago as the migration, by Klaviyo's clock, which ours
 * may be far from.
 *
 * @param marginMs before that
 */
export function startOfFeed(
  klaviyo: Pick<KlaviyoClient, 'now'>,
  { ageMs }: Pick<Migration, 'ageMs'>,
  marginMs: number,
): FeedPlace {
  const now = klaviyo.now()?.earliest.getTime() ?? Date.now();
  const start = new Date(now - Math.max(0, ageMs) - marginMs).toISOString();
  return { since: start, newest: start, cursor: null };
}

/** A feed of Klaviyo's in the order of its own datetimes. */
export interface Feed<Item> {
  /** @param cursor of the page; null for the first */
  read(
    since: string,
    cursor: string | null,
  ): Promise<{ readonly items: readonly Item[]; readonly next: string | null }>;
  timeOf(item: Item): string | null;
  settle(items: readonly Item[]): Promise<void>;
  /** Keeps where the next read begins; told after every page that was settled. */
  save(place: FeedPlace): Promise<void>;
}

/**
 * Reads a feed on from its place, page after page, and keeps the place after each, so that whatever
 * ends the reading loses one page at most.
 */
export async function readFeed<Item>(from: FeedPlace, feed: Feed<Item>): Promise<void> {
  let place = from;
  for (let pages = 0; pages < PAGES_AT_ONCE; pages += 1) {
    const read = await readPage(place, feed);
    await feed.settle(read.page.items);
    const last = read.page.items.at(-1);
    const newest = (last === undefined ? null : feed.timeOf(last)) ?? place.newest;
    const next = placeAfter(read.place, newest, read.page.next);
    if (!isSame(place, next)) await feed.save(next);
    place = next;
    if (place.cursor === null) return;
  }
}

/** A cursor that Klaviyo does not know any more is no loss: the feed is read on from its newest. */
async function readPage<Item>(
  place: FeedPlace,
  feed: Feed<Item>,
): Promise<{ place: FeedPlace; page: Awaited<ReturnType<Feed<Item>['read']>> }> {
  try {
    return { place, page: await feed.read(place.since, place.cursor) };
  } catch (error) {
    if (!(error instanceof KlaviyoRefusedError) || place.cursor === null) throw error;
    const since = beforeOverlap(place.newest, place.since);
    return { place: { ...place, since, cursor: null }, page: await feed.read(since, null) };
  }
}

function placeAfter(place: FeedPlace, newest: string, cursor: string | null): FeedPlace {
  if (cursor !== null) return { since: place.since, newest, cursor };
  // A look of one page that brings nothing new ends the overlap: then looks stay short.
  const nothingNew = place.cursor === null && newest === place.newest;
  return { since: nothingNew ? newest : beforeOverlap(newest, place.since), newest, cursor };
}

function isSame(a: FeedPlace, b: FeedPlace): boolean {
  return a.since === b.since && a.newest === b.newest && a.cursor === b.cursor;
}

/** Whether Klaviyo does not give a feed at all: no scope, or no such question. */
export function isFeedRefused(error: unknown): boolean {
  return error instanceof KlaviyoScopeMissingError || error instanceof KlaviyoRefusedError;
}

function beforeOverlap(newest: string, atLeast: string): string {
  const overlapped = new Date(Date.parse(newest) - OVERLAP_MS);
  return overlapped.getTime() > Date.parse(atLeast) ? overlapped.toISOString() : atLeast;
}
