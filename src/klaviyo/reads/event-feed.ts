import * as z from 'zod';
import { callOf } from '../calls.js';
import { datetime } from './datetime.js';
import { eventsSince } from './filters.js';
import { identifier } from './identifier.js';
import { links } from '../json-api.js';
import type { Call } from '../transport/exchange.js';

/** One of the account's metrics. Klaviyo's own have the same name in every account, never the id. */
export interface Metric {
  readonly id: string;
  readonly name: string | null;
}

/** That something happened to a person. Identifiers as Klaviyo holds them at the time of reading. */
export interface FeedEvent {
  readonly id: string;
  /** Klaviyo's datetime. */
  readonly at: string;
  readonly email: string | null;
  readonly phoneNumber: string | null;
  /** Of events about a list: its name, which several may have. Null where it was not asked for. */
  readonly listName: string | null;
}

export const metricSchema = z
  .object({ id: z.string(), attributes: z.object({ name: z.string().nullish() }) })
  .transform(({ id, attributes }): Metric => ({ id, name: attributes.name ?? null }));

const event = z.object({
  id: z.string(),
  attributes: z.object({
    datetime,
    event_properties: z.object({ List: z.string().nullish().catch(null) }).nullish(),
  }),
  relationships: z.object({
    profile: z.object({ data: z.object({ id: z.string() }).nullish() }).nullish(),
  }),
});

const person = z.object({
  id: z.string(),
  attributes: z.object({ email: identifier, phone_number: identifier }),
});

const PAGE_SIZE = 1_000;

/** A page of a metric's events, oldest first. */
export function eventsCall(query: {
  readonly metricId: string;
  readonly since: string;
  readonly cursor?: string | null | undefined;
  readonly withListName?: boolean | undefined;
}): Call {
  return callOf('get_events', null, {
    filter: eventsSince(query.metricId, query.since),
    sort: 'datetime',
    include: 'profile',
    'fields[event]': query.withListName === true ? 'datetime,event_properties' : 'datetime',
    'fields[profile]': 'email,phone_number',
    'page[size]': String(PAGE_SIZE),
    ...(query.cursor ? { 'page[cursor]': query.cursor } : {}),
  });
}

/** A page of events with the people whom they are about. */
export const eventPageSchema = z
  .object({ data: z.array(event), included: z.array(person).nullish(), links })
  .transform(({ data, included, links: linked }) => {
    const people = new Map((included ?? []).map(({ id, attributes }) => [id, attributes]));
    const events = data.map(({ id, attributes, relationships }): FeedEvent => {
      const about = people.get(relationships.profile?.data?.id ?? '');
      return {
        id,
        at: attributes.datetime,
        email: about?.email ?? null,
        phoneNumber: about?.phone_number ?? null,
        listName: attributes.event_properties?.List ?? null,
      };
    });
    return { events, next: linked?.next ?? null };
  });
