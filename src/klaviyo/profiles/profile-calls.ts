import { callOf } from '../calls.js';
import type { EndpointName } from '../endpoints.js';
import {
  anyOf,
  joinedSince,
  suppressedOnListSince,
  suppressedSince,
  updatedSince,
  utcDatetime,
  type LookUpField,
} from '../reads/filters.js';
import type { Call } from '../transport/exchange.js';
import type { ProfileConsent, SUPPRESSION_REASONS } from './profile-consent.js';

const PAGE_SIZE = 100;

/** Up to 100 people by their identifiers: in the account, or on the list with this id. */
export function lookUpCall(
  by: LookUpField,
  values: readonly string[],
  listId: string | null,
): Call {
  const filter = anyOf(by, values);
  return listId === null
    ? profilesCall('get_profiles', null, { filter })
    : profilesCall('get_profiles_for_list', listId, { filter });
}

/** A page of a list's members. */
export function membersCall(query: {
  readonly listId: string;
  readonly joinedSince: string | null;
  readonly cursor?: string | null | undefined;
}): Call {
  return profilesCall('get_profiles_for_list', query.listId, {
    ...(query.joinedSince === null ? {} : { filter: joinedSince(query.joinedSince) }),
    sort: 'joined_group_at',
    ...pageOf(query.cursor),
  });
}

/** A page of the profiles that changed, the oldest change first. */
export function changedCall(query: {
  readonly since: string | null;
  readonly cursor?: string | null | undefined;
}): Call {
  return profilesCall('get_profiles', null, {
    ...(query.since === null ? {} : { filter: updatedSince(query.since) }),
    sort: 'updated',
    ...pageOf(query.cursor),
  });
}

/** Which suppressions to read; times are RFC 3339 with an offset. */
export interface Suppressed {
  /** Exclusive. */
  readonly since: string;
  /** Exclusive; to the millisecond, rounded so that none is missed. Default: no end. */
  readonly until?: string | null;
  /** Default: any. */
  readonly reason?: (typeof SUPPRESSION_REASONS)[number] | null;
}

/** A page of people with a suppression; unsorted, since Klaviyo refuses `sort` with this filter. */
export function suppressedCall(
  query: Suppressed & { readonly cursor?: string | null | undefined },
): Call {
  return profilesCall('get_profiles', null, {
    filter: suppressedSince(query.since, query.reason ?? null),
    ...pageOf(query.cursor),
  });
}

/** Whether it was before `until`. Klaviyo's filter takes only one date, which is `since`. */
export function isSuppressedWithin({
  since,
  until = null,
  reason = null,
}: Suppressed): (profile: ProfileConsent) => boolean {
  if (until === null) return () => true;
  const [first, last] = [Date.parse(utcDatetime(since)), Date.parse(utcDatetime(until))];
  return ({ emailMarketing }) => {
    const times = (emailMarketing?.suppressions ?? [])
      .filter((suppression) => reason === null || suppression.reason === reason)
      .map(({ timestamp }) => Date.parse(timestamp ?? ''))
      .filter((at) => !(at < first));
    // Klaviyo found one; if it shows none, its date is unknown.
    return times.length === 0 || times.some((at) => !(at > last));
  };
}

/** The same for suppressions of one list. */
export function suppressedOnListCall(query: {
  readonly listId: string;
  readonly since: string;
  readonly cursor?: string | null | undefined;
}): Call {
  return profilesCall('get_profiles', null, {
    filter: suppressedOnListSince(query.listId, query.since),
    ...pageOf(query.cursor),
  });
}

function profilesCall(
  endpoint: EndpointName,
  listId: string | null,
  parameters: Readonly<Record<string, string>>,
): Call {
  const joined = endpoint === 'get_profiles_for_list' ? ['joined_group_at'] : [];
  return callOf(endpoint, listId, {
    ...parameters,
    'additional-fields[profile]': 'subscriptions',
    'fields[profile]': ['email', 'phone_number', ...joined, 'subscriptions'].join(','),
    'page[size]': String(PAGE_SIZE),
  });
}

function pageOf(cursor: string | null | undefined): Record<string, string> {
  return cursor ? { 'page[cursor]': cursor } : {};
}
