import type { SandboxAccount } from '../../account/account.js';
import { subscriptionsOf } from '../../account/subscriptions-view.js';
import { isoDate } from '../../dates.js';
import type { Query } from '../query.js';

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

/** Turns profiles into resources as the query asks for them. */
export function profileWriter(
  account: SandboxAccount,
  query: Query,
  origin: string,
): (index: number, joinedAt?: number) => object {
  const subscriptions =
    query.adds('profile', 'subscriptions') && query.wants('profile', 'subscriptions');
  const analytics = query.adds('profile', 'predictive_analytics');
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
    if (subscriptions) attributes['subscriptions'] = subscriptionsOf(profiles, index);
    if (analytics) attributes['predictive_analytics'] = null;
    const self = `${origin}/api/profiles/${id}/`;
    return {
      type: 'profile',
      id,
      attributes: query.pick('profile', attributes),
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
