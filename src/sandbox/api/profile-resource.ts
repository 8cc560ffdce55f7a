import type { SandboxAccount } from '../account/account.js';
import { subscriptionsOf } from '../account/subscriptions-view.js';
import { isoDate } from '../dates.js';
import { additionalFields, sparse } from './fields.js';
import { TIERS, type NamedLimit } from './operation.js';

/** Attributes that a bulk import may set, beside the identifiers. */
export const DETAIL_FIELDS = [
  'external_id',
  'first_name',
  'last_name',
  'organization',
  'locale',
  'title',
  'image',
  'location',
  'properties',
] as const;

const FIELDS = [
  'id',
  'email',
  'phone_number',
  ...DETAIL_FIELDS,
  'created',
  'updated',
  'last_event_date',
  'subscriptions',
  'predictive_analytics',
  'joined_group_at',
];

/** Query parameters that shape a profile resource. */
export const PROFILE_PARAMETERS = ['fields[profile]', 'additional-fields[profile]'];

/** Turns profiles into resources as the query asks for them. @throws ApiError 400 for unknown fields */
export function profileWriter(
  account: SandboxAccount,
  query: URLSearchParams,
  origin: string,
): (index: number, joinedAt?: number) => object {
  const additional = additionalFields(query, 'profile', ['subscriptions', 'predictive_analytics']);
  const pick = sparse(query, 'profile', FIELDS);
  const { profiles } = account;
  return (index: number, joinedAt?: number) => {
    const id = profiles.id(index);
    const details = profiles.details.get(index);
    const attributes: Record<string, unknown> = {
      email: profiles.email(index),
      phone_number: profiles.phone(index),
    };
    for (const field of DETAIL_FIELDS) {
      attributes[field] = details?.[field] ?? (field === 'properties' ? {} : null);
    }
    attributes['location'] ??= {};
    attributes['created'] = isoDate(profiles.created(index));
    attributes['updated'] = isoDate(profiles.updated(index));
    attributes['last_event_date'] = null;
    if (joinedAt !== undefined) attributes['joined_group_at'] = isoDate(joinedAt);
    if (additional.has('subscriptions')) {
      attributes['subscriptions'] = subscriptionsOf(profiles, index);
    }
    if (additional.has('predictive_analytics')) attributes['predictive_analytics'] = null;
    const self = `${origin}/api/profiles/${id}/`;
    return {
      type: 'profile',
      id,
      attributes: pick(attributes),
      relationships: {
        lists: { links: { self: `${self}relationships/lists/`, related: `${self}lists/` } },
        segments: {
          links: { self: `${self}relationships/segments/`, related: `${self}segments/` },
        },
      },
      links: { self },
    };
  };
}

/** Predictive analytics have a counter of their own, shared by all endpoints that offer them. */
export function predictiveLimit(query: URLSearchParams): NamedLimit | undefined {
  const asked = query.get('additional-fields[profile]')?.split(',') ?? [];
  return asked.includes('predictive_analytics')
    ? { name: 'predictive_analytics', limit: TIERS.M }
    : undefined;
}
