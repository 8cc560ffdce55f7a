import { KlaviyoRefusedError, KlaviyoScopeMissingError } from '../klaviyo/index.js';
import type { FeedPlace } from '../ledger/index.js';

/** What becomes visible out of order is read again within this time. */
const OVERLAP_MS = 2_000;

/** Where the feed of a migration begins: before it, as Klaviyo's clock is not ours. */
export function startOfFeed(createdAt: Date, clockDifferenceMs: number): FeedPlace {
  const start = new Date(createdAt.getTime() - clockDifferenceMs).toISOString();
  return { since: start, newest: start };
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
}

/**
 * Reads a feed to its end, page after page.
 *
 * @returns where the next read begins; `place` itself where nothing is new
 */
export async function readFeed<Item>(place: FeedPlace, feed: Feed<Item>): Promise<FeedPlace> {
  let { newest } = place;
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Feed<Item>['read']>> = await feed.read(place.since, cursor);
    await feed.settle(page.items);
    const last = page.items.at(-1);
    newest = (last === undefined ? null : feed.timeOf(last)) ?? newest;
    cursor = page.next;
  } while (cursor !== null);
  // A read that brings nothing new ends the overlap: from then on a look costs one short page.
  const since = newest === place.newest ? newest : beforeOverlap(newest, place.since);
  return since === place.since && newest === place.newest ? place : { since, newest };
}

/** Whether Klaviyo does not give a feed at all: no scope, or no such question. */
export function isFeedRefused(error: unknown): boolean {
  return error instanceof KlaviyoScopeMissingError || error instanceof KlaviyoRefusedError;
}

function beforeOverlap(newest: string, atLeast: string): string {
  const overlapped = new Date(Date.parse(newest) - OVERLAP_MS);
  return overlapped.getTime() > Date.parse(atLeast) ? overlapped.toISOString() : atLeast;
}
