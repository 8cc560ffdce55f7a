import type { LoggedExchange } from './exchange-files.js';

export interface ErrorEntry {
  code: string;
  title: string;
  detail: string;
  source: { pointer?: string; parameter?: string };
  meta?: Record<string, unknown>;
}

/** An error answer that is recorded or described in the documentation. */
export interface ErrorAnswer {
  id: string;
  status: number;
  operation?: RegExp;
  code?: string;
  title?: string;
  detail?: string | RegExp;
  /** Pointer or parameter. */
  place?: string | RegExp;
  /** Member of `meta` that must be there. */
  meta?: string;
}

const ROW = String.raw`^/data/attributes/profiles/data/\d+/`;
const CONSENTED_AT = new RegExp(`${ROW}attributes/subscriptions/\\w+/\\w+/consented_at$`);
const PHONE = new RegExp(`${ROW}attributes/phone_number$`);
const SPOKEN = String.raw`\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^\]]*\+00:00\]`;

const invalid = (id: string, rest: Partial<ErrorAnswer>): ErrorAnswer => ({
  id,
  status: 400,
  code: 'invalid',
  title: 'Invalid input.',
  ...rest,
});
const notFound = (id: string, operation: RegExp, detail: RegExp | string): ErrorAnswer => ({
  id,
  status: 404,
  operation,
  code: 'not_found',
  title: 'Not found.',
  detail,
  place: '/data/',
});

/** Each must occur at least once when the whole suite runs. */
export const ERROR_ANSWERS: readonly ErrorAnswer[] = [
  // Transport: recorded.
  {
    id: 'throttled',
    status: 429,
    code: 'throttled',
    title: 'Request was throttled.',
    detail: /^Request was throttled\. Expected available in \d+ seconds?\.$/,
    place: '/data',
  },
  {
    id: 'wrong key',
    status: 401,
    code: 'authentication_failed',
    title: 'Incorrect authentication credentials.',
    detail: 'Incorrect authentication credentials.',
    place: '/data/',
  },
  {
    id: 'no key',
    status: 401,
    code: 'not_authenticated',
    title: 'Authentication credentials were not provided.',
    detail: 'Missing or invalid private key.',
    place: '/data/',
  },
  {
    id: 'server error',
    status: 500,
    code: 'error',
    title: 'A server error occurred.',
    detail: 'A server error occurred.',
    place: '/data/',
  },
  notFound('future revision', /./, 'Unable to specify a future revision date'),
  notFound('stable revision of a beta endpoint', /_beta$/, 'No valid revisions found for method'),
  invalid('unknown include', {
    detail: /^'.+' is not an allowed include parameter for this resource\.$/,
    place: 'include',
  }),
  invalid('unknown query parameter', {
    detail: /^'page_size' is not a valid field for the resource '.+'\.$/,
    place: '/data/attributes/page_size',
  }),
  invalid('malformed filter', { detail: 'Invalid filter provided', place: 'filter' }),
  invalid('filter by another field', {
    detail:
      /^'.+' is not a filterable field for this resource\. The filterable fields on this resource are: .+\.$/,
    place: 'filter',
  }),
  invalid('filter by another operator', {
    detail: /^'.+' is not an allowed filter operator for .+\. {2}Allowed operators are [a-z, -]+$/,
    place: 'filter',
  }),
  // Transport: documented statuses.
  { id: 'missing scope', status: 403, code: 'permission_denied', detail: /scopes/ },
  { id: 'unknown path', status: 404, detail: /path/ },
  { id: 'method not allowed', status: 405 },
  { id: 'gone', status: 410 },
  { id: 'payload too large', status: 413 },
  { id: 'unsupported media type', status: 415 },
  { id: 'unavailable', status: 503 },
  invalid('page too large', { place: 'page[size]' }),
  invalid('future date in a filter', { detail: /future/, place: 'filter' }),
  invalid('no revision', { place: 'revision' }),
  // Subscribe: recorded or seen live.
  invalid('region without a sender', {
    operation: /^bulk_subscribe/,
    detail: /^Phone number is valid but is not in a supported region for this account\./,
    place: PHONE,
  }),
  invalid('ineligible number', {
    operation: /^bulk_subscribe/,
    detail: /either does not exist or is ineligible to receive SMS/,
    place: PHONE,
  }),
  invalid('badly formed number', {
    operation: /^bulk_subscribe/,
    detail: /Invalid phone number format/,
    place: PHONE,
  }),
  invalid('SMS not set up', {
    operation: /^bulk_subscribe/,
    detail: 'SMS configuration is required to subscribe phone number only profiles.',
  }),
  invalid('SMS channel without a number', {
    detail: "'phone_number' must not be empty when the sms channel is included in 'subscriptions'.",
  }),
  invalid('historical without a date', {
    operation: /^bulk_subscribe/,
    detail: /historical email subscription does not have a valid consented_at timestamp/,
  }),
  invalid('date without historical_import', { operation: /^bulk_subscribe/, place: CONSENTED_AT }),
  invalid('consent older than the opt-out', {
    operation: /^bulk_subscribe/,
    detail: new RegExp(
      `^backdated consent date ${SPOKEN} is before current unsubscription date ${SPOKEN}$`,
    ),
    place: CONSENTED_AT,
  }),
  invalid('consent newer than the subscription', {
    operation: /^bulk_subscribe/,
    detail: new RegExp(
      `^backdated consent date ${SPOKEN} is after current subscription date ${SPOKEN}$`,
    ),
    place: CONSENTED_AT,
  }),
  invalid('subscribe to an unknown list', {
    operation: /^bulk_subscribe/,
    detail: /^List not found with id /,
    place: '/data/relationships/list/data/id',
  }),
  invalid('unknown member of a row', {
    detail: /^'.+' is not a valid field for the resource 'profile'\.$/,
  }),
  // Subscribe and its relatives: documented.
  invalid('no subscriptions on subscribe', {
    operation: /^bulk_subscribe/,
    detail: /subscriptions/,
  }),
  invalid('no subscriptions on unsubscribe', {
    operation: /^bulk_unsubscribe/,
    detail: /subscriptions/,
  }),
  invalid('age gate', { operation: /^bulk_subscribe/, place: /age_gated_date_of_birth$/ }),
  invalid('more than 1,000 to subscribe', { operation: /^bulk_subscribe/, detail: /1000/ }),
  invalid('more than 100 to unsubscribe', { operation: /^bulk_unsubscribe/, detail: /100\b/ }),
  invalid('more than 100 to suppress', { operation: /^bulk_suppress/, detail: /100\b/ }),
  invalid('more than 10,000 to import', { operation: /^bulk_import/, detail: /10,?000/ }),
  invalid('more than 1,000 to a list', { operation: /^add_profiles/, detail: /1,?000/ }),
  invalid('suppress profiles and a list', { operation: /^bulk_suppress/, place: /^\/data/ }),
  // Imports and lists.
  invalid('import to an unknown list', {
    operation: /^bulk_import/,
    detail: /^List ID .+ does not exist\.$/,
    place: '/data',
  }),
  invalid('import of a malformed e-mail', {
    operation: /^bulk_import/,
    place: new RegExp(`${ROW}attributes/email$`),
  }),
  invalid('unknown profiles for a list', {
    operation: /^(add|remove)_profiles/,
    detail: /^Invalid profile IDs: \S+/,
    place: '/data/',
  }),
  // Profiles.
  ...(['create_profile', 'update_profile', 'create_or_update_profile'] as const).map((name) => ({
    id: `${name} with a taken identifier`,
    status: 409,
    operation: new RegExp(`^${name}$`),
    code: 'duplicate_profile',
    title: 'Conflict.',
    detail: 'A profile already exists with one of these identifiers.',
    place: '/data/attributes',
    meta: 'duplicate_profile_id',
  })),
  {
    id: 'deletion of two identifiers',
    status: 400,
    operation: /^request_profile_deletion$/,
  },
  notFound('deletion of nobody', /^request_profile_deletion$/, /^No profile with .+ found\. {2}/),
  // Reads.
  invalid('unknown metric', {
    operation: /^get_events$/,
    detail: /^Metric IDs \['.+'\] do not exist\.$/,
    place: 'filter',
  }),
  invalid('unknown event', {
    operation: /^get_event$/,
    detail: /^Invalid Event ID: '.+'$/,
    place: '/data/id',
  }),
  notFound('unknown profile', /^get_profile$/, /^A profile with id \S+ does not exist\.$/),
  notFound('unknown list', /^get_list$/, /^A list with id `\S+` does not exist\.$/),
  notFound('unknown segment', /^get_segment$/, /^A segment with id `\S+` does not exist\.$/),
  notFound('unknown metric id', /^get_metric$/, /^Metric with id \S+ does not exist\.$/),
  notFound('unknown account', /^get_account$/, /^Account with id \S+ not found\.$/),
  notFound('unknown import job', /^get_bulk_import_profiles_job$/, 'Invalid job id'),
  notFound(
    'unknown suppression job',
    /^get_bulk_suppress_profiles_job$/,
    /^A bulk profile suppression job with the id '\S+' does not exist\.$/,
  ),
  notFound('unknown webhook', /^get_webhook$/, 'Not found.'),
  notFound('unknown webhook topic', /^get_webhook_topic$/, 'Not found.'),
  // Entitlements.
  {
    id: 'webhooks without Advanced KDP',
    status: 403,
    operation: /webhook/,
    code: 'permission_denied',
    title: 'You do not have permission to perform this action.',
    detail: 'You must have Advanced KDP enabled to use this endpoint.',
    place: '/data/',
  },
  { id: 'bulk export without an invitation', status: 403, operation: /bulk_export/ },
];

/** The error answers that an exchange is an example of. */
export function answersOf(exchange: LoggedExchange): string[] {
  const body = exchange.response_body as { errors?: ErrorEntry[] } | null;
  return (body?.errors ?? []).flatMap((entry) =>
    ERROR_ANSWERS.filter((answer) => fits(answer, exchange, entry)).map(({ id }) => id),
  );
}

function fits(answer: ErrorAnswer, exchange: LoggedExchange, entry: ErrorEntry): boolean {
  const { operation, code, title, detail, place, meta } = answer;
  return (
    exchange.status === answer.status &&
    (operation === undefined || operation.test(exchange.operation ?? '')) &&
    (code === undefined || code === entry.code) &&
    (title === undefined || title === entry.title) &&
    is(detail, entry.detail) &&
    is(place, entry.source.pointer ?? entry.source.parameter ?? '') &&
    (meta === undefined || entry.meta?.[meta] !== undefined)
  );
}

const is = (wanted: string | RegExp | undefined, text: string): boolean =>
  wanted === undefined || (typeof wanted === 'string' ? wanted === text : wanted.test(text));
