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
import { optOutsShown } from '../../consent/judge.js';
import { METRICS_LATE_MS, type Metrics } from '../temporal/metrics.js';
import type { ListNames } from './list-names.js';

/** One of Klaviyo's answers to "who said no since": read whole, from a time on. */
export interface OptOutFeed {
  /** Its key in the ledger. */
  readonly feed: string;
  /** Whether a run can do without it where the key may not read it: look-ups then have to do. */
  readonly optional: boolean;
  /** A reading that is older than this is no use. */
  readonly maxAgeMs: number;
  /** Nor is one needed sooner after the last than so many times what that took. */
  readonly rest: number;
  /** How late it shows what was said: it is read again from so long before the last reading. */
  readonly lateMs: number;
  /** @returns everybody who said no at `since` or later, by Klaviyo's clock, a page at a time */
  read(since: Date, signal: AbortSignal): AsyncIterable<readonly OptOut[]>;
}

/** Suppressions of people who act by themselves show at once; Klaviyo's pages are a little behind. */
const SUPPRESSION_LATE_MS = 60_000;

/** Suppressions that somebody asked for surface hours late, dated when they were asked for. */
const BY_HAND = 'USER_SUPPRESSED' as const;

/** Times the age of the other feeds: it is long, and what it shows is late anyhow. */
const BY_HAND_PATIENCE = 6;

/** Times what its last reading took: hours of suppressions by hand may be hundreds of pages. */
const BY_HAND_REST = 9;

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

/** What opt-outs are read with. */
export interface OptOutSources {
  readonly klaviyo: Pick<
    KlaviyoClient,
    'now' | 'listEvents' | 'listSuppressed' | 'listSuppressedOnList'
  >;
  readonly metrics: Pick<Metrics, 'idsOf'>;
  readonly lists: Pick<ListNames, 'nameOf'>;
}

/**
 * The feeds that show who opts out of these channels: suppressions, which are there as long as nothing
 * lifts them, and events, which stay but may be late. Texts have events only; of WhatsApp and push
 * there is nothing, so that their people are looked up more often instead.
 *
 * @param listId the run's list, which people can leave alone
 */
export function optOutFeeds(
  { klaviyo, metrics, lists }: OptOutSources,
  run: { readonly listId: string | null; readonly channels: readonly Channel[] },
  timing: OptOutTiming,
): OptOutFeed[] {
  const { optOutsMaxAgeMs: maxAgeMs, optOutsLateMs, suppressionWithinMs } = timing;
  // The first event of its kind may be there before its metric is known.
  const eventsLateMs = optOutsLateMs + METRICS_LATE_MS;
  const mails = run.channels.includes('email') || run.channels.includes('list');
  const feeds: OptOutFeed[] = [];
  if (mails) {
    feeds.push(
      suppressions(klaviyo, { maxAgeMs, lateMs: SUPPRESSION_LATE_MS, byHand: false }),
      suppressions(klaviyo, {
        maxAgeMs: maxAgeMs * BY_HAND_PATIENCE,
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
  for (const said of UNSUBSCRIBED) {
    const asked = said.channel === 'email' ? mails : hasTexts(run.channels);
    if (asked) feeds.push(unsubscribesOf(said, { maxAgeMs, lateMs: eventsLateMs }));
  }
  return feeds;

  function unsubscribesOf(
    { feed, channel, names }: (typeof UNSUBSCRIBED)[number],
    waits: Waits,
  ): OptOutFeed {
    return {
      ...waits,
      feed,
      ...IF_THE_KEY_MAY,
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

  /** What stays of somebody's leaving a list once a subscribe has put them back on it. */
  function leavesOf(listId: string, waits: Waits): OptOutFeed {
    return {
      ...waits,
      feed: `events:list:${listId}`,
      ...IF_THE_KEY_MAY,
      async *read(since, signal) {
        const name = await lists.nameOf(listId, signal);
        for await (const events of eventsOf(LEFT_A_LIST, { since, withListName: true }, signal)) {
          yield events.flatMap(({ at, email, phoneNumber, listName }): OptOut[] => {
            // Of two lists with one name nobody knows which was left.
            if (listName !== name) return [];
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
 * Events are dated to the second, cut off, and consent more finely: of a yes and a no in one second the
 * no is the later.
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

const IF_THE_KEY_MAY = { optional: true, rest: 0 } as const;

function suppressions(
  klaviyo: OptOutSources['klaviyo'],
  { byHand, ...waits }: Waits & { readonly byHand: boolean },
): OptOutFeed {
  return {
    ...waits,
    feed: byHand ? 'suppressions_by_hand' : 'suppressions',
    optional: false,
    rest: byHand ? BY_HAND_REST : 0,
    async *read(since, signal) {
      const query = { since: since.toISOString(), reason: byHand ? BY_HAND : null };
      for (let cursor: string | null = null; ;) {
        const page = await klaviyo.listSuppressed({ ...query, cursor }, { signal });
        yield found(page.profiles, since, null, klaviyo).map((optOut) => ({
          ...optOut,
          source: 'suppression',
        }));
        cursor = page.next;
        if (cursor === null) return;
      }
    },
  };
}

function listSuppressions(
  klaviyo: OptOutSources['klaviyo'],
  listId: string,
  waits: Waits,
): OptOutFeed {
  return {
    ...waits,
    feed: `list:${listId}`,
    ...IF_THE_KEY_MAY,
    async *read(since, signal) {
      const query = { listId, since: since.toISOString() };
      for (let cursor: string | null = null; ;) {
        const page = await klaviyo.listSuppressedOnList({ ...query, cursor }, { signal });
        yield found(page.profiles, since, listId, klaviyo).map((optOut) => ({
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
 * What profiles say that a filter found. Of one whose suppressions Klaviyo leaves out, or does not date,
 * the filter itself has said it: as of now.
 */
function found(
  profiles: readonly ProfileConsent[],
  since: Date,
  listId: string | null,
  klaviyo: OptOutSources['klaviyo'],
): OptOut[] {
  const now = (klaviyo.now()?.latest ?? new Date()).toISOString();
  const untold = profiles.flatMap(({ email, phoneNumber, emailMarketing }): OptOut[] => {
    const told = listId === null ? emailMarketing?.suppressions : emailMarketing?.listSuppressions;
    const isDated = told?.some(({ timestamp }) => timestamp !== null) === true;
    if (isDated) return [];
    return identifiersOf(email, listId === null ? null : phoneNumber).map((identifier) => ({
      channel: 'email',
      identifier,
      listId,
      at: now,
      source: 'suppression',
    }));
  });
  return [...optOutsShown(profiles, since), ...untold];
}
