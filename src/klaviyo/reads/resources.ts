import * as z from 'zod';
import type { OptInProcess } from '../../contracts/channels.js';

/** The account that the key belongs to. */
export interface Account {
  /** Also the company id of the SMS configuration. */
  readonly id: string;
  /** IANA name. */
  readonly timezone: string | null;
  /** E.g. `en-US`. */
  readonly locale: string | null;
  /** ISO alpha-2 country of the account's postal address. */
  readonly country: string | null;
}

export interface ListInfo {
  readonly id: string;
  readonly name: string | null;
  /** Null if Klaviyo does not say, or gives a value that is not known here. */
  readonly optInProcess: OptInProcess | null;
}

/** A flow that starts when somebody joins the list. */
export interface FlowTrigger {
  readonly id: string;
  readonly name: string | null;
  /** `live` sends; `draft` and `manual` do not by themselves. */
  readonly status: string | null;
}

export interface ListWithFlows extends ListInfo {
  /** Without archived flows; null if the key may not read flows. */
  readonly flows: readonly FlowTrigger[] | null;
}

/** The account's SMS set-up. */
export interface TextMessagingConfiguration {
  readonly id: string;
  readonly status: 'active' | 'disabled' | 'unknown';
}

/** A number or name that texts are sent from; only an `active` one sends. */
export interface TextMessagingSender {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  /** ISO alpha-2 code; null for senders without one country, such as a branded name. */
  readonly country: string | null;
}

/**
 * The result of an endpoint or an inclusion that is optional for a run. Not readable is an answer,
 * not an error: the key lacks the scope (403), or the endpoint, its revision or the configuration
 * does not exist (400, 404, 405, 410).
 */
export type OptionalReading<T> =
  | { readonly readable: true; readonly value: T }
  | { readonly readable: false; readonly status: number };

const optionalText = z.string().nullish();

export const accountSchema = z
  .object({
    id: z.string(),
    attributes: z.object({
      timezone: optionalText,
      locale: optionalText,
      contact_information: z
        .object({ street_address: z.object({ country: optionalText }).nullish() })
        .nullish(),
    }),
  })
  .transform(({ id, attributes }): Account => ({
    id,
    timezone: attributes.timezone ?? null,
    locale: attributes.locale ?? null,
    country: attributes.contact_information?.street_address?.country ?? null,
  }));

export const listSchema = z
  .object({
    id: z.string(),
    attributes: z.object({
      name: optionalText,
      opt_in_process: z.enum(['single_opt_in', 'double_opt_in']).nullable().catch(null),
    }),
  })
  .transform(({ id, attributes }): ListInfo => ({
    id,
    name: attributes.name ?? null,
    optInProcess: attributes.opt_in_process,
  }));

const flowSchema = z.object({
  type: z.literal('flow'),
  id: z.string(),
  attributes: z.object({
    name: optionalText,
    status: optionalText,
    archived: z.boolean().nullish(),
  }),
});

export const listWithFlowsSchema = z
  .object({ data: listSchema, included: z.array(flowSchema).default([]) })
  .transform(({ data, included }): ListWithFlows => ({
    ...data,
    flows: included
      .filter(({ attributes }) => attributes.archived !== true)
      .map(({ id, attributes }) => ({
        id,
        name: attributes.name ?? null,
        status: attributes.status ?? null,
      })),
  }));

export const configurationSchema = z
  .object({
    id: z.string(),
    attributes: z.object({ status: z.enum(['active', 'disabled', 'unknown']).catch('unknown') }),
  })
  .transform(({ id, attributes }): TextMessagingConfiguration => ({ id, ...attributes }));

export const senderSchema = z
  .object({
    id: z.string(),
    attributes: z.object({
      sender_type: z.string(),
      status: z.string(),
      sender_details: z.object({ country: optionalText }).nullish(),
    }),
  })
  .transform(({ id, attributes }): TextMessagingSender => ({
    id,
    type: attributes.sender_type,
    status: attributes.status,
    country: attributes.sender_details?.country ?? null,
  }));
