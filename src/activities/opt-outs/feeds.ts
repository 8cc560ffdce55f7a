import { foldEmail } from '../../contracts/addresses.js';
import type { Channel, ConsentChannel } from '../../contracts/channels.js';
import type { OptOutTiming } from '../../contracts/migration.js';
import {
  mayTellOptOut,
  type FeedEvent,
  type KlaviyoClient,
  type ProfileConsent,
} from '../../klaviyo/index.js';
import type { OptOut } from '../../ledger/index.js';
import { optOutsShown, SAYS_NO } from '../../consent/judge.js';
import { METRICS_LATE_MS, type Metrics } from '../temporal/metrics.js';
import type { ListNames } from './list-names.js';

/** One of Klaviyo's feeds of opt-outs, always read completely from a given time on. */
export interface OptOutFeed {
  /** Its key in the ledger. */
  readonly feed: string;
  /** Whether a run can do without it if the key may not read it: look-ups replace it. */
  readonly optional: boolean;
  /** A reading older than this is too old. */
  readonly maxAgeMs: number;
  /** A feed is not read again before this many times the duration of the last read. */
  readonly rest: number;
  /** How late opt-outs become visible: each read starts this long before the last one. */
  readonly lateMs: number;
  /** @returns everybody who opted out at `since` or later, by Klaviyo's clock, a page at a time */
  read(since: Date, signal: AbortSignal): AsyncIterable<readonly OptOut[]>;
}

/** Suppressions by the people themselves show at once, but Klaviyo's pages lag a little. */
const SUPPRESSION_LATE_MS = 60_000;

/** Suppressions that somebody requested show hours late, with the date of the request. */
const BY_HAND = 'USER_SUPPRESSED' as const;

/** Multiple of the other feeds' maximum age: this feed is long, and late in any case. */
const BY_HAND_AGE_FACTOR = 6;

/** Multiple of its last reading's duration: hours of such suppressions may be hundreds of pages. */
const BY_HAND_REST_FACTOR = 9;

const UNSUBSCRIBED: readonly {
  readonly feed: string;
  readonly channel: ConsentChannel;
  readonly names: readonly string[];
}[] = [
  { feed: 'events:email', channel: 'email', names: ['Unsubscribed from Email Marketing'] },
  { feed: 'events:spam', channel: 'email', names: ['Marked Email as Spam'] },
  {
    feed: 'events:sms',
    channel: 'sms',
    names: ['Unsubscribed from SMS Marketing', 'Unsubscribed from SMS'],
  },
];
const LEFT_A_LIST = ['Unsubscribed from List'];

/** What is needed to read opt-outs. */
export interface OptOutSources {
  readonly klaviyo: Pick<
    KlaviyoClient,
    'now' | 'listEvents' | 'listSuppressed' | 'listSuppressedOnList'
  >;
  readonly metrics: Pick<Metrics, 'idsOf'>;
  readonly lists: Pick<ListNames, 'mayBe'>;
  /**
   * Takes profiles with suppressions that are no opt-outs, such as bounces: nothing else shows that
   * such people may not be subscribed.
   *
   * @param readAt when they were asked for, by the ledger's clock
   */
  remember(profiles: readonly ProfileConsent[], readAt: string): Promise<void>;
  /** The time by the ledger's clock. */
  time(): Promise<string>;
}

/**
 * The feeds that show who opts out of these channels: suppressions, which exist until something
 * lifts them, and events, which stay but may be late. Texts have only events. WhatsApp and push
 * have no feed, so their people are looked up more often instead.
 *
 * @param listId the run's list, which people can leave without opting out of everything
 */
export function optOutFeeds(
  sources: OptOutSources,
  run: { readonly listId: string | null; readonly channels: readonly Channel[] },
  timing: OptOutTiming,
): OptOutFeed[] {
  const { klaviyo, metrics, lists } = sources;
  const { optOutsMaxAgeMs: maxAgeMs, optOutsLateMs, suppressionWithinMs } = timing;
  // The first event of a metric may exist before we know the metric.
  const eventsLateMs = optOutsLateMs + METRICS_LATE_MS;
  const mails = run.channels.includes('email') || run.channels.includes('list');
  const feeds: OptOutFeed[] = [];
  if (mails) {
    feeds.push(
      suppressions(sources, { maxAgeMs, lateMs: SUPPRESSION_LATE_MS, byHand: false }),
      suppressions(sources, {
        maxAgeMs: maxAgeMs * BY_HAND_AGE_FACTOR,
        lateMs: suppressionWithinMs,
        byHand: true,
      }),
    );
  }
  if (run.listId !== null) {
    feeds.push(
      listSuppressions(klaviyo, run.listId, { maxAgeMs, lateMs: SUPPRESSION_LATE_MS }),
      leavesOf(run.listId, { maxAgeMs, lateMs: eventsLateMs }),
    );
  }
  for (const metric of UNSUBSCRIBED) {
    const asked = metric.channel === 'email' ? mails : hasTexts(run.channels);
    if (asked) feeds.push(unsubscribesOf(metric, { maxAgeMs, lateMs: eventsLateMs }));
  }
  return feeds;

  function unsubscribesOf(
    { feed, channel, names }: (typeof UNSUBSCRIBED)[number],
    waits: Waits,
  ): OptOutFeed {
    return {
      ...waits,
      feed,
      ...OPTIONAL_FEED,
      async *read(since, signal) {
        for await (const events of eventsOf(names, { since, withListName: false }, signal)) {
          yield events.flatMap(({ at, email, phoneNumber }): OptOut[] => {
            const identifier = channel === 'email' ? foldEmail(email) : phoneNumber;
            if (identifier === null) return [];
            return [{ channel, identifier, listId: null, at: latestOf(at), source: 'event' }];
          });
        }
      },
    };
  }

  /** People who left the list: the events remain after a subscribe puts them back on it. */
  function leavesOf(listId: string, waits: Waits): OptOutFeed {
    return {
      ...waits,
      feed: `events:list:${listId}`,
      ...OPTIONAL_FEED,
      async *read(since, signal) {
        for await (const events of eventsOf(LEFT_A_LIST, { since, withListName: true }, signal)) {
          const names = new Set(events.map(({ listName }) => listName));
          const ours = new Set<string | null>();
          for (const name of names) if (await lists.mayBe(listId, name, signal)) ours.add(name);
          yield events.flatMap(({ at, email, phoneNumber, listName }): OptOut[] => {
            // If two lists have the same name, it is unknown which was left.
            if (!ours.has(listName)) return [];
            return identifiersOf(email, phoneNumber).map((identifier) => ({
              channel: 'email',
              identifier,
              listId,
              at: latestOf(at),
              source: 'event',
            }));
          });
        }
      },
    };
  }

  async function* eventsOf(
    names: readonly string[],
    { since, withListName }: { readonly since: Date; readonly withListName: boolean },
    signal: AbortSignal,
  ): AsyncIterable<readonly FeedEvent[]> {
    for (const metricId of await metrics.idsOf(names, signal)) {
      const query = { metricId, since: since.toISOString(), withListName };
      for (let cursor: string | null = null; ;) {
        const page = await klaviyo.listEvents({ ...query, cursor }, { signal });
        yield page.events.filter(mayTellOptOut);
        cursor = page.next;
        if (cursor === null) break;
      }
    }
  }
}

/**
 * Event times are truncated to the second; consent times are finer. Within one second, the opt-out
 * counts as later than the consent.
 */
function latestOf(at: string): string {
  return new Date(Math.floor(Date.parse(at) / 1_000) * 1_000 + 999).toISOString();
}

function identifiersOf(email: string | null, phoneNumber: string | null): string[] {
  return [foldEmail(email), phoneNumber].filter((one) => one !== null);
}

function hasTexts(channels: readonly Channel[]): boolean {
  return channels.includes('sms') || channels.includes('sms_transactional');
}

type Waits = Pick<OptOutFeed, 'maxAgeMs' | 'lateMs'>;

const OPTIONAL_FEED = { optional: true, rest: 0 } as const;

function suppressions(
  { klaviyo, remember, time }: Pick<OptOutSources, 'klaviyo' | 'remember' | 'time'>,
  { byHand, ...waits }: Waits & { readonly byHand: boolean },
): OptOutFeed {
  return {
    ...waits,
    feed: byHand ? 'suppressions_by_hand' : 'suppressions',
    optional: false,
    rest: byHand ? BY_HAND_REST_FACTOR : 0,
    async *read(since, signal) {
      const query = { since: since.toISOString(), reason: byHand ? BY_HAND : null };
      for (let cursor: string | null = null; ;) {
        const readAt = await time();
        const page = await klaviyo.listSuppressed({ ...query, cursor }, { signal });
        await remember(page.profiles.filter(isUnreachable), readAt);
        yield optOutsOf(page.profiles, since, null, klaviyo).map((optOut) => ({
          ...optOut,
          source: 'suppression',
        }));
        cursor = page.next;
        if (cursor === null) return;
      }
    },
  };
}

function isUnreachable({ emailMarketing }: ProfileConsent): boolean {
  return emailMarketing?.suppressions.some(({ reason }) => !SAYS_NO.has(reason)) === true;
}

function listSuppressions(
  klaviyo: OptOutSources['klaviyo'],
  listId: string,
  waits: Waits,
): OptOutFeed {
  return {
    ...waits,
    feed: `list:${listId}`,
    ...OPTIONAL_FEED,
    async *read(since, signal) {
      const query = { listId, since: since.toISOString() };
      for (let cursor: string | null = null; ;) {
        const page = await klaviyo.listSuppressedOnList({ ...query, cursor }, { signal });
        yield optOutsOf(page.profiles, since, listId, klaviyo).map((optOut) => ({
          ...optOut,
          source: 'list_suppression',
        }));
        cursor = page.next;
        if (cursor === null) return;
      }
    },
  };
}

/**
 * The opt-outs of profiles that a suppression filter returned. If Klaviyo leaves out or does not
 * date a profile's suppressions, the filter itself proves the opt-out, as of now.
 */
function optOutsOf(
  profiles: readonly ProfileConsent[],
  since: Date,
  listId: string | null,
  klaviyo: OptOutSources['klaviyo'],
): OptOut[] {
  const now = (klaviyo.now()?.latest ?? new Date()).toISOString();
  const undated = profiles.flatMap(({ email, phoneNumber, emailMarketing }): OptOut[] => {
    const shown = listId === null ? emailMarketing?.suppressions : emailMarketing?.listSuppressions;
    const isDated = shown?.some(({ timestamp }) => timestamp !== null) === true;
    if (isDated) return [];
    return identifiersOf(email, listId === null ? null : phoneNumber).map((identifier) => ({
      channel: 'email',
      identifier,
      listId,
      at: now,
      source: 'suppression',
    }));
  });
  return [...optOutsShown(profiles, since), ...undated];
}
