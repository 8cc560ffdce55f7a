import * as z from 'zod';
import { callOf } from '../calls.js';
import { datetime } from './datetime.js';
import { eventsSince } from './filters.js';
import { identifier } from './identifier.js';
import { links } from '../json-api.js';
import type { Call } from '../transport/exchange.js';

/**
 * One of the account's metrics. Klaviyo's own metrics have the same name in every account, but
 * never the same id.
 */
export interface Metric {
  readonly id: string;
  readonly name: string | null;
}

/** An event of a person. Identifiers are as Klaviyo has them at the time of reading. */
export interface FeedEvent {
  readonly id: string;
  /** Klaviyo's datetime. */
  readonly at: string;
  /** Null if the event does not say whom it is about. */
  readonly profileId: string | null;
  readonly email: string | null;
  readonly phoneNumber: string | null;
  /**
   * Whether the event names the metric that was asked for. `another`: it names another metric that
   * Klaviyo includes. `unresolved`: it names none, or one that Klaviyo does not include. See
   * `provesChange`, `mayTellOptOut`.
   */
  readonly metric: 'asked' | 'another' | 'unresolved';
  /** For events about a list: its name, which several lists may share. Null if it was not asked for. */
  readonly listName: string | null;
}

export const metricSchema = z
  .object({ id: z.string(), attributes: z.object({ name: z.string().nullish() }) })
  .transform(({ id, attributes }): Metric => ({ id, name: attributes.name ?? null }));

const relation = z.object({ data: z.object({ id: z.string() }).nullish() }).nullish();

const event = z.object({
  id: z.string(),
  attributes: z.object({
    datetime,
    event_properties: z.object({ List: z.string().nullish().catch(null) }).nullish(),
  }),
  relationships: z.object({ profile: relation, metric: relation.catch(null) }).nullish(),
});

const included = z.object({ type: z.string(), id: z.string(), attributes: z.unknown().optional() });
const person = z.object({ email: identifier, phone_number: identifier });

const PAGE_SIZE = 1_000;

/** A page of a metric's events, oldest first. */
export function eventsCall(query: {
  readonly metricId: string;
  readonly since: string;
  readonly profileId?: string | undefined;
  readonly cursor?: string | null | undefined;
  readonly withListName?: boolean | undefined;
}): Call {
  return callOf('get_events', null, {
    filter: eventsSince(query.metricId, query.since, query.profileId),
    sort: 'datetime',
    // The metric that an event names is only known to exist if it is included.
    include: 'profile,metric',
    'fields[event]': query.withListName === true ? 'datetime,event_properties' : 'datetime',
    'fields[profile]': 'email,phone_number',
    'fields[metric]': 'name',
    'page[size]': String(PAGE_SIZE),
    ...(query.cursor ? { 'page[cursor]': query.cursor } : {}),
  });
}

/**
 * Whether an event can prove that a call changed something. An event that does not say what
 * happened proves nothing: the change is then read from the list or the profile.
 */
export const provesChange = ({ metric }: Pick<FeedEvent, 'metric'>): boolean => metric === 'asked';

/**
 * Whether an event from a metric of opt-outs may be an opt-out. Klaviyo's filter found it: if the
 * event does not say what happened, the person may have opted out, and the filter counts.
 */
export const mayTellOptOut = ({ metric }: Pick<FeedEvent, 'metric'>): boolean =>
  metric !== 'another';

/** `next` is the address of the next page; null on the last. */
export interface EventPage {
  readonly events: readonly FeedEvent[];
  readonly next: string | null;
}

/** A page of events of one metric, with the people they are about. */
export const eventPageSchema = (metricId: string): z.ZodType<EventPage> =>
  z
    .object({ data: z.array(event), included: z.array(included).nullish(), links })
    .transform(({ data, included: beside, links: linked }, context) => {
      const people = new Map<string, z.infer<typeof person>>();
      const metrics = new Set<string>();
      for (const { type, id, attributes } of beside ?? []) {
        if (type === 'metric') metrics.add(id);
        if (type !== 'profile') continue;
        const read = person.safeParse(attributes);
        if (read.success) people.set(id, read.data);
        // Without it an opt-out would belong to nobody and be lost.
        else
          context.addIssue({ code: 'custom', message: 'a profile without readable identifiers' });
      }
      const metricOf = (id: string | undefined): FeedEvent['metric'] => {
        if (id === metricId) return 'asked';
        return id !== undefined && metrics.has(id) ? 'another' : 'unresolved';
      };
      const events = data.map(({ id, attributes, relationships }): FeedEvent => {
        const about = people.get(relationships?.profile?.data?.id ?? '');
        return {
          id,
          at: attributes.datetime,
          profileId: relationships?.profile?.data?.id ?? null,
          email: about?.email ?? null,
          phoneNumber: about?.phone_number ?? null,
          metric: metricOf(relationships?.metric?.data?.id),
          listName: attributes.event_properties?.List ?? null,
        };
      });
      return { events, next: linked?.next ?? null };
    });
