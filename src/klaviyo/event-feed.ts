import * as z from 'zod';
import { links } from './json-api.js';

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
}

export const metricSchema = z
  .object({ id: z.string(), attributes: z.object({ name: z.string().nullish() }) })
  .transform(({ id, attributes }): Metric => ({ id, name: attributes.name ?? null }));

const event = z.object({
  id: z.string(),
  attributes: z.object({ datetime: z.string() }),
  relationships: z.object({
    profile: z.object({ data: z.object({ id: z.string() }).nullish() }).nullish(),
  }),
});

const person = z.object({
  id: z.string(),
  attributes: z.object({ email: z.string().nullish(), phone_number: z.string().nullish() }),
});

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
      };
    });
    return { events, next: linked?.next ?? null };
  });
