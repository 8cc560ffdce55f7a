import { randomUUID } from 'node:crypto';

export interface ErrorSource {
  pointer?: string;
  parameter?: string;
}

/** One entry of `errors` before it gets its id and status. */
export interface ErrorEntry {
  code: string;
  title: string;
  detail: string;
  source: ErrorSource;
  links?: Record<string, string>;
  meta?: Record<string, unknown>;
  /** Without `links` and `meta`. @default false */
  bare?: boolean;
}

/** An answer other than 2xx. Thrown by handlers, written by the server. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly entries: readonly ErrorEntry[],
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(entries.map((entry) => entry.detail).join('; '));
  }

  body(): { errors: object[] } {
    return {
      errors: this.entries.map(({ code, title, detail, source, links, meta, bare }) => ({
        id: randomUUID(),
        status: this.status,
        code,
        title,
        detail,
        source,
        ...(bare === true ? {} : { links: links ?? {}, meta: meta ?? {} }),
      })),
    };
  }
}

/** Klaviyo's "Invalid input." error for a place in the body. */
export function invalid(pointer: string, detail: string): ErrorEntry {
  return { code: 'invalid', title: 'Invalid input.', detail, source: { pointer } };
}

export function refuse(pointer: string, detail: string): ApiError {
  return new ApiError(400, [invalid(pointer, detail)]);
}

export function refuseParameter(parameter: string, detail: string): ApiError {
  const entry = { code: 'invalid', title: 'Invalid input.', detail, source: { parameter } };
  return new ApiError(400, [entry]);
}

/** Klaviyo's text for a missing member, e.g. of the resource `request-data`. */
export function missing(pointer: string, field: string, resource: string): ErrorEntry {
  return invalid(pointer, `'${field}' is a required field for the resource '${resource}'.`);
}

/** Recorded wording; every resource has its own. */
const NOT_FOUND: Readonly<Record<string, (id: string) => string>> = {
  account: (id) => `Account with id ${id} not found.`,
  list: (id) => `A list with id \`${id}\` does not exist.`,
  metric: (id) => `Metric with id ${id} does not exist.`,
  profile: (id) => `A profile with id ${id} does not exist.`,
  'profile-bulk-import-job': () => 'Invalid job id',
  'profile-suppression-bulk-create-job': (id) =>
    `A bulk profile suppression job with the id '${id}' does not exist.`,
  /** Modelled on the one above: not recorded itself. */
  'profile-suppression-bulk-delete-job': (id) =>
    `A bulk profile unsuppression job with the id '${id}' does not exist.`,
  segment: (id) => `A segment with id \`${id}\` does not exist.`,
  webhook: () => 'Not found.',
  'webhook-topic': () => 'Not found.',
};

/** @param what the resource's type; the wording for types outside the table is ours */
export function notFound(what: string, id: string): ApiError {
  const detail = NOT_FOUND[what]?.(id) ?? `A ${what} with id \`${id}\` does not exist.`;
  return framework(404, 'not_found', 'Not found.', detail);
}

/** Recorded: title and detail are the same. */
export function wrongKey(): ApiError {
  const text = 'Incorrect authentication credentials.';
  return framework(401, 'authentication_failed', text, text);
}

/** Recorded for a key that is absent or malformed. */
export function noKey(): ApiError {
  return notAuthenticated('Missing or invalid private key.');
}

/** The wording is from another emulator: the real one is not recorded. */
export function wrongScheme(): ApiError {
  return notAuthenticated('Missing or invalid authorization scheme. Please use Klaviyo-API-Key.');
}

const notAuthenticated = (detail: string): ApiError =>
  framework(401, 'not_authenticated', 'Authentication credentials were not provided.', detail);

/** Status, code and title are recorded; the wording for the missing scopes is ours. */
export function scopeMissing(scopes: readonly string[]): ApiError {
  return forbidden(`The API key is missing required scopes: ${scopes.join(', ')}.`);
}

/** A 403 for what the key or the account is not allowed to do. */
export function forbidden(detail: string): ApiError {
  const title = 'You do not have permission to perform this action.';
  return framework(403, 'permission_denied', title, detail);
}

/** Recorded: `retry-after` is the only header of the limiter on a 429. */
export function throttled(retryAfter: number): ApiError {
  const seconds = `${retryAfter} second${retryAfter === 1 ? '' : 's'}`;
  const entry: ErrorEntry = {
    code: 'throttled',
    title: 'Request was throttled.',
    detail: `Request was throttled. Expected available in ${seconds}.`,
    source: { pointer: '/data' },
    links: {
      type: 'https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling#rate-limits',
    },
  };
  return new ApiError(429, [entry], { 'retry-after': String(retryAfter) });
}

/** The 500 is recorded; the wording of the 503 is ours. */
export function serverError(status: 500 | 503): ApiError {
  const text = status === 500 ? 'A server error occurred.' : 'Service temporarily unavailable.';
  return framework(status, status === 500 ? 'error' : 'service_unavailable', text, text);
}

/** An error of the sandbox itself, which is also written to stderr. */
export function failureOf(error: unknown): ApiError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(`sandbox: ${stack ?? message}\n`);
  return single(500, 'error', 'The sandbox failed.', message);
}

/**
 * Errors before or instead of a resource's own code: authentication, permission, a missing
 * resource, a failure. Recorded ones point at `/data/`, with a trailing slash, and have neither
 * `links` nor `meta`.
 */
export function framework(
  status: number,
  code: string,
  title: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): ApiError {
  const source = { pointer: '/data/' };
  return new ApiError(status, [{ code, title, detail, source, bare: true }], headers);
}

export function single(
  status: number,
  code: string,
  title: string,
  detail: string,
  source: ErrorSource = { pointer: '/data' },
): ApiError {
  return new ApiError(status, [{ code, title, detail, source }]);
}
