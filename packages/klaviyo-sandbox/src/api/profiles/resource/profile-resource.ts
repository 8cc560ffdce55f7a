import type { SandboxAccount } from '../../../account/account.js';
import { isoDate, isoDateOrNull } from '../../../time/dates.js';
import type { ProfileDetails } from '../../../store/details.js';
import type { EventStore } from '../../../store/events/event-store.js';
import { relationTo } from '../../links.js';
import type { Query } from '../../query/query.js';
import type { Inclusions } from './included.js';
import { DETAIL_FIELDS, LOCATION_FIELDS } from '../body/profile-fields.js';

/** Nobody has ordered anything in the sandbox. */
const ANALYTICS = {
  historic_number_of_orders: null,
  predicted_number_of_orders: null,
  average_days_between_orders: null,
  average_order_value: null,
  historic_clv: null,
  predicted_clv: null,
  total_clv: null,
  churn_probability: null,
  expected_date_of_next_order: null,
  ranked_channel_affinity: null,
};

const NO_LOCATION: Readonly<Record<string, unknown>> = Object.fromEntries(
  LOCATION_FIELDS.map((field) => [field, null]),
);

type Reader = (index: number, details: ProfileDetails | undefined) => unknown;

/**
 * Turns profiles into resources as the query requests them.
 *
 * Fields of `additional-fields` are included even if `fields` does not name them (recorded); if
 * `fields` names something inside them, only that.
 *
 * @param included the included resources; the operations that have them show one more relationship
 */
export function profileWriter(
  account: SandboxAccount,
  query: Query,
  origin: string,
  included?: Inclusions,
): (index: number, joinedAt?: number) => object {
  const { profiles } = account;
  const readers = Object.entries(readersOf(account)).filter(([field]) =>
    query.wants('profile', field),
  );
  const additional = Object.entries({
    subscriptions: (index: number) => account.shown.subscriptions(index),
    predictive_analytics: () => ANALYTICS,
  }).filter(([field]) => query.adds('profile', field));
  return (index: number, joinedAt?: number) => {
    const id = profiles.id(index);
    const details = profiles.details.get(index);
    const attributes: Record<string, unknown> = {};
    for (const [field, read] of readers) attributes[field] = read(index, details);
    if (joinedAt !== undefined) attributes['joined_group_at'] = isoDate(joinedAt);
    const unnamed: Record<string, unknown> = {};
    for (const [field, read] of additional) {
      (query.wants('profile', field) ? attributes : unnamed)[field] = read(index);
    }
    const self = `${origin}/api/profiles/${id}/`;
    return {
      type: 'profile',
      id,
      attributes: { ...query.pick('profile', attributes), ...unnamed },
      relationships: included?.relationships(index, self) ?? RELATIONS(self),
      links: { self },
    };
  };
}

const RELATIONS = (self: string): object => ({
  lists: relationTo(self, 'lists'),
  segments: relationTo(self, 'segments'),
  'push-tokens': relationTo(self, 'push-tokens'),
});

function readersOf({ profiles, journal, shown }: SandboxAccount): Record<string, Reader> {
  const detail =
    (field: string): Reader =>
    (_, details) =>
      details?.[field] ?? null;
  return {
    email: (index) => shown.email(index),
    phone_number: (index) => profiles.phone(index),
    ...Object.fromEntries(DETAIL_FIELDS.map((field) => [field, detail(field)])),
    location: (_, details) => ({
      ...NO_LOCATION,
      ...(details?.['location'] as object | null | undefined),
    }),
    properties: (_, details) => details?.['properties'] ?? {},
    created: (index) => isoDate(profiles.created(index)),
    updated: (index) => isoDate(profiles.updated(index)),
    last_event_date: (index) => isoDateOrNull(latestEvent(journal.events, index)),
  };
}

/** Epoch ms; null for profiles without events. */
function latestEvent(events: EventStore, profile: number): number | null {
  const ever = { from: 0, to: Infinity, descending: true, after: null };
  const [latest] = events.walk({ profile, ...ever });
  return latest === undefined ? null : events.get(latest).time;
}
