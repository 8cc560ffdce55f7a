import {
  KlaviyoRefusedError,
  KlaviyoScopeMissingError,
  type KlaviyoClient,
} from '../../../klaviyo/index.js';
import type { FeedPlace, Migration } from '../../../ledger/index.js';

/** Each read overlaps the last one by this much, since items become visible out of order. */
const OVERLAP_MS = 2_000;

/** Pages per read: the reader has other work in between. */
const PAGES_AT_ONCE = 20;

/**
 * Where the feed of a migration begins: when the migration began, by Klaviyo's clock, which may
 * differ widely from ours.
 *
 * @param marginMs how long before that to begin
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

/** One of Klaviyo's feeds, in the order of its datetimes. */
export interface Feed<Item> {
  /** @param cursor null for the first page */
  read(
    since: string,
    cursor: string | null,
  ): Promise<{ readonly items: readonly Item[]; readonly next: string | null }>;
  timeOf(item: Item): string | null;
  settle(items: readonly Item[]): Promise<void>;
  /** Stores where the next read begins; called after every settled page. */
  save(place: FeedPlace): Promise<void>;
}

/**
 * Continues a feed from its stored position, page by page. While a page is settled, the next one is
 * read. The position is stored after each settled page, so an interruption loses two pages at most.
 *
 * @returns whether there are more pages
 */
export async function readFeed<Item>(from: FeedPlace, feed: Feed<Item>): Promise<boolean> {
  let place = from;
  let read = await readPage(place, feed);
  for (let pages = 1; ; pages += 1) {
    const last = read.page.items.at(-1);
    const newest = (last === undefined ? null : feed.timeOf(last)) ?? place.newest;
    const next = placeAfter(read.place, newest, read.page.next);
    const isMore = next.cursor !== null;
    const goesOn = isMore && pages < PAGES_AT_ONCE;
    const [settled, following] = await Promise.allSettled([
      settlePage(feed, read.page.items, isSame(place, next) ? null : next),
      goesOn ? readPage(next, feed) : null,
    ]);
    if (settled.status === 'rejected') throw settled.reason;
    if (following.status === 'rejected') throw following.reason;
    if (following.value === null) return isMore;
    place = next;
    read = following.value;
  }
}

async function settlePage<Item>(
  feed: Feed<Item>,
  items: readonly Item[],
  next: FeedPlace | null,
): Promise<void> {
  await feed.settle(items);
  if (next !== null) await feed.save(next);
}

/** If Klaviyo no longer knows a cursor, the read continues from the newest item. */
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
  // A one-page read with nothing new ends the overlap, so that reads stay short.
  const nothingNew = place.cursor === null && newest === place.newest;
  return { since: nothingNew ? newest : beforeOverlap(newest, place.since), newest, cursor };
}

function isSame(a: FeedPlace, b: FeedPlace): boolean {
  return a.since === b.since && a.newest === b.newest && a.cursor === b.cursor;
}

/** How a read of a feed ended: at its end, with pages left for the next read, or not at all. */
export type FeedRead = 'read' | 'more' | 'refused';

/** Whether Klaviyo refuses a feed altogether: no scope, or an unsupported query. */
export function isFeedRefused(error: unknown): boolean {
  return error instanceof KlaviyoScopeMissingError || error instanceof KlaviyoRefusedError;
}

function beforeOverlap(newest: string, atLeast: string): string {
  const overlapped = new Date(Date.parse(newest) - OVERLAP_MS);
  return overlapped.getTime() > Date.parse(atLeast) ? overlapped.toISOString() : atLeast;
}
