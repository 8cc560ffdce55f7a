import { ALL_OPERATIONS } from '../../../consent/operations/index.js';
import { foldEmail } from '../../../contracts/addresses.js';
import { provesChange, type FeedEvent } from '../../../klaviyo/index.js';
import {
  getEventFeed,
  setEventFeed,
  settleParts,
  waitingKinds,
  waitingParts,
  type Migration,
  type Settlement,
} from '../../../ledger/index.js';
import type { ActivityDependencies } from '../../dependencies.js';
import { isFeedRefused, readFeed, startOfFeed, type FeedRead } from './feeds.js';
import type { Metrics } from '../../temporal/metrics.js';

/** The metrics that prove a change of consent. */
const PROVING = ALL_OPERATIONS.flatMap(({ events, ...operation }) =>
  events.map((event) => ({ ...event, operation })),
);
type Proving = (typeof PROVING)[number];

/** Events are read from this long before the migration: they become visible out of order. */
const CLOCK_DIFFERENCE_MS = 2 * 60_000;

/**
 * The cheapest proof of a change that happens now: Klaviyo's own events, 1,000 a page. They do not
 * prove historical consent: its events carry the date of the consent.
 */
export class EventProofs {
  /** Migrations whose key lacks the scopes: other sources are read instead. */
  readonly #unreadable = new Set<string>();

  constructor(
    private readonly deps: ActivityDependencies,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Reads new events and settles what they prove.
   *
   * @returns `refused` if events cannot be read at all
   */
  async read(migration: Migration, signal: AbortSignal): Promise<FeedRead> {
    if (this.#unreadable.has(migration.id)) return 'refused';
    let isMore = false;
    const { db } = this.deps.ledger;
    const waiting = await waitingKinds(db, migration.id);
    for (const proving of PROVING) {
      const { channel, operation } = proving;
      if (operation.givesConsent && migration.settings.historicalImport) continue;
      // They are about everything, not about a list.
      if (operation.offList(migration.settings) !== null) continue;
      if (!waiting.some((part) => part.channel === channel && part.operation === operation.name))
        continue;
      try {
        if (await this.#readMetric(migration, proving, signal)) isMore = true;
      } catch (error) {
        // The scope is missing, or the account keeps no events: other sources prove as much.
        if (!isFeedRefused(error)) throw error;
        this.#unreadable.add(migration.id);
        return 'refused';
      }
    }
    return isMore ? 'more' : 'read';
  }

  async #readMetric(migration: Migration, proving: Proving, signal: AbortSignal): Promise<boolean> {
    const { ledger, klaviyo } = this.deps;
    const { id } = migration;
    let isMore = false;
    for (const metricId of await this.metrics.idsOf(proving.names, signal)) {
      const place =
        (await getEventFeed(ledger.db, id, metricId)) ??
        startOfFeed(klaviyo, migration, CLOCK_DIFFERENCE_MS);
      const more = await readFeed<FeedEvent>(place, {
        async read(since, cursor) {
          const page = await klaviyo.listEvents({ metricId, since, cursor }, { signal });
          return { items: page.events, next: page.next };
        },
        timeOf: ({ at }) => at,
        settle: (events) => this.#settle(id, proving, events),
        save: (next) => setEventFeed(ledger.db, id, metricId, next),
      });
      isMore ||= more;
    }
    return isMore;
  }

  async #settle(
    migrationId: string,
    { channel, operation }: Proving,
    events: readonly FeedEvent[],
  ): Promise<void> {
    if (events.length === 0) return;
    const identifierOf = ({ email, phoneNumber }: FeedEvent) =>
      channel === 'email' ? foldEmail(email) : phoneNumber;
    const latest = new Map<string, string>();
    for (const event of events.filter(provesChange)) {
      const identifier = identifierOf(event);
      if (identifier !== null) latest.set(identifier, event.at);
    }
    const identifiers = [...latest.keys()];
    const { db } = this.deps.ledger;
    const parts = await waitingParts(
      db,
      migrationId,
      channel === 'email' ? identifiers : [],
      channel === 'email' ? [] : identifiers,
    );
    const settlements = parts.flatMap((part): Settlement[] => {
      if (part.channel !== channel || part.operation !== operation.name) return [];
      const at = latest.get((channel === 'email' ? part.email : part.phoneNumber) ?? '');
      if (at === undefined || !isSince(at, part.sentAt)) return [];
      const { rowNumber, known } = part;
      return [
        {
          rowNumber,
          channel,
          outcome: 'confirmed',
          reason: null,
          settledBy: 'events',
          known,
          read: { consent: operation.shows, at },
          isOptOut: operation.optsOut,
        },
      ];
    });
    await settleParts(db, migrationId, settlements);
  }
}

/**
 * Whether an event can be the effect of a call. Klaviyo dates events to the second. An event before
 * the call has another cause.
 */
function isSince(at: string, sentAt: Date | null): boolean {
  return sentAt !== null && Date.parse(at) >= Math.floor(sentAt.getTime() / 1_000) * 1_000;
}
