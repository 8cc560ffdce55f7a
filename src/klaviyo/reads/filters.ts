import { CALL_LIMITS } from '../../contracts/limits.js';

/** Identifiers by which many profiles can be looked up at once. */
export type LookUpField = 'email' | 'phone_number';

/**
 * A string literal of Klaviyo's filter grammar: double quotes, with `"` and `\` escaped by one
 * backslash. Throws RangeError for control characters and broken surrogate pairs: no e-mail or
 * phone number has them, and the grammar cannot escape them.
 */
export function quoteLiteral(value: string): string {
  if (/[\p{Cc}\p{Cs}]/u.test(value)) {
    throw new RangeError('A filter value has a control character or half a surrogate pair.');
  }
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/** `any(email,["a@example.com","b@example.com"])`, not yet percent-encoded. */
export function anyOf(field: LookUpField | 'id', values: readonly string[]): string {
  return `any(${field},[${values.map(quoteLiteral).join(',')}])`;
}

/** `greater-or-equal(joined_group_at,2026-01-02T03:04:05.000006Z)`, not yet percent-encoded. */
export function joinedSince(datetime: string): string {
  return `greater-or-equal(joined_group_at,${utcDatetime(datetime)})`;
}

/** Resources with exactly this name, not yet percent-encoded. */
export function named(name: string): string {
  return `equals(name,${quoteLiteral(name)})`;
}

/** Events of one metric since a datetime, of one profile or all, not yet percent-encoded. */
export function eventsSince(
  metricId: string,
  datetime: string,
  profileId: string | null = null,
): string {
  return [
    `equals(metric_id,${quoteLiteral(metricId)})`,
    ...(profileId === null ? [] : [`equals(profile_id,${quoteLiteral(profileId)})`]),
    `greater-or-equal(datetime,${utcDatetime(datetime)})`,
  ].join(',');
}

/** Profiles that were created between two datetimes, both exclusive; null for all of them. */
export function createdWithin(after: string | null, before: string | null): string | null {
  return within('created', after, before);
}

/** The same of members of a list, by when they joined it. */
export function joinedWithin(after: string | null, before: string | null): string | null {
  return within('joined_group_at', after, before);
}

function within(field: string, after: string | null, before: string | null): string | null {
  const bounds = [
    ...(after === null ? [] : [`greater-than(${field},${utcDatetime(after)})`]),
    ...(before === null ? [] : [`less-than(${field},${utcDatetime(before)})`]),
  ];
  return bounds.length === 0 ? null : bounds.join(',');
}

/** Profiles that changed after a datetime, not yet percent-encoded. */
export function updatedSince(datetime: string): string {
  return `greater-than(updated,${utcDatetime(datetime)})`;
}

const SUPPRESSION = 'subscriptions.email.marketing.suppression';
const LIST_SUPPRESSIONS = 'subscriptions.email.marketing.list_suppressions';

/** Profiles with a suppression newer than a datetime, not yet percent-encoded. */
export function suppressedSince(datetime: string, reason: string | null): string {
  return [
    ...(reason === null ? [] : [`equals(${SUPPRESSION}.reason,${quoteLiteral(reason)})`]),
    `greater-than(${SUPPRESSION}.timestamp,${utcDatetime(datetime)})`,
  ].join(',');
}

/** The same for suppressions of one list, which Klaviyo's filter requires. */
export function suppressedOnListSince(listId: string, datetime: string): string {
  return [
    `equals(${LIST_SUPPRESSIONS}.list_id,${quoteLiteral(listId)})`,
    `greater-than(${LIST_SUPPRESSIONS}.timestamp,${utcDatetime(datetime)})`,
  ].join(',');
}

const RFC_3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * An RFC 3339 datetime in UTC with `Z`, as filters need it (`+00:00` is refused); fractions of a
 * second keep every digit. Throws RangeError if there is no offset or no such time.
 */
export function utcDatetime(datetime: string): string {
  const match = RFC_3339.exec(datetime);
  const time = match === null ? Number.NaN : Date.parse(`${match[1]}${match[3]}`);
  if (match === null || Number.isNaN(time)) {
    throw new RangeError(`"${datetime}" is not a datetime with an offset (2026-01-02T03:04:05Z).`);
  }
  return `${new Date(time).toISOString().slice(0, 19)}${match[2] ?? ''}Z`;
}

/** Names and values of a query, percent-encoded, including brackets, quotes and plus signs. */
export function encodeQuery(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
}

/**
 * Most characters of the percent-encoded filter values of one look-up. With path and other
 * parameters the request stays under the 8 kB that servers and proxies commonly allow.
 */
export const LOOK_UP_FILTER_LENGTH = 7_500;

/**
 * Splits values into look-ups of at most `maxValues` (default: one page of profiles, 100) that fit
 * into a URL. Order is kept; a single value is never split.
 */
export function chunkLookUps(
  field: LookUpField,
  values: readonly string[],
  maxValues: number = CALL_LIMITS.lookUp,
): string[][] {
  const chunks: string[][] = [];
  const empty = encodeURIComponent(anyOf(field, [])).length;
  let length = 0;
  for (const value of values) {
    const added = encodeURIComponent(`${quoteLiteral(value)},`).length;
    const chunk = chunks.at(-1);
    if (
      chunk === undefined ||
      chunk.length >= maxValues ||
      length + added > LOOK_UP_FILTER_LENGTH
    ) {
      chunks.push([value]);
      length = empty + added;
    } else {
      chunk.push(value);
      length += added;
    }
  }
  return chunks;
}
