import { joinedAfter } from '../../consent/given.js';
import { keyOfPart, type Entry } from '../../consent/operations/entries.js';
import { profilesFor } from '../../consent/person.js';
import { mayTellOptOut } from '../../klaviyo/index.js';
import type { GivenToRow } from '../../ledger/index.js';
import { atOnce } from '../at-once.js';
import type { ActivityDependencies } from '../dependencies.js';
import { isShortage, type LookedUp } from '../look-ups.js';
import type { Metrics } from '../temporal/metrics.js';

/**
 * The metric of joining a list by consent. Somebody who is subscribed and signs up again may keep the
 * date and the method of their first consent, and then only this shows it. A membership without consent
 * has no event.
 */
const JOINED = ['Subscribed to List'];

/** Concurrent reads of one person's events; the limiter decides how fast they go. */
const CONCURRENT_READS = 8;

/** Who has joined a list since the program gave them their consent. */
export interface Joined {
  /** Keys (`keyOfPart`) of the parts of those who have. */
  readonly keys: ReadonlySet<string>;
  /** Whether the events of a part's person were read. */
  covers(key: string): boolean;
  /** @throws LimiterBusyError, KlaviyoRateLimitedError, KlaviyoUnavailableError if not all were */
  throwIfShort(): void;
}

/** What the program gave to people, and what Klaviyo shows of them. */
export interface ReadOfGiven {
  readonly given: ReadonlyMap<number, GivenToRow>;
  readonly people: LookedUp;
}

/** Reads the events of these people one by one: as many as there are calls for. */
export async function readJoined(
  { klaviyo }: ActivityDependencies,
  metrics: Metrics,
  entries: readonly Entry[],
  { given, people }: ReadOfGiven,
  signal: AbortSignal,
): Promise<Joined> {
  const metricIds = await metrics.idsOf(JOINED, signal);
  const now = klaviyo.now()?.earliest.getTime() ?? -Infinity;
  const keys = new Set<string>();
  const unread = new Set<string>();
  const shortages: Error[] = [];

  const hasJoined = async (
    profileId: string,
    since: Date,
    either: AbortSignal,
  ): Promise<boolean> => {
    // Klaviyo refuses a time in its future, and nothing has happened since.
    if (since.getTime() > now) return false;
    for (const metricId of metricIds) {
      const query = { metricId, profileId, since: since.toISOString() };
      const { events } = await klaviyo.listEvents(query, { signal: either });
      // One that does not say what happened counts: Klaviyo's filter returned it.
      if (events.some(mayTellOptOut)) return true;
    }
    return false;
  };

  const parts = entries.flatMap((entry) => entry.parts.map(({ channel }) => ({ entry, channel })));
  await atOnce(parts, CONCURRENT_READS, signal, async ({ entry, channel }, either) => {
    const key = keyOfPart({ rowNumber: entry.rowNumber, channel });
    const gave = given.get(entry.rowNumber)?.get(channel);
    if (gave === undefined) return;
    try {
      const [shortage] = shortages;
      if (shortage !== undefined) throw shortage;
      for (const { id } of profilesFor(channel, people.index.heldFor(entry))) {
        if (await hasJoined(id, joinedAfter(gave), either)) keys.add(key);
      }
    } catch (error) {
      if (!isShortage(error)) throw error;
      shortages.push(error);
      unread.add(key);
    }
  });
  return {
    keys,
    covers: (key) => !unread.has(key),
    throwIfShort() {
      const [shortage] = shortages;
      if (shortage !== undefined) throw shortage;
    },
  };
}
