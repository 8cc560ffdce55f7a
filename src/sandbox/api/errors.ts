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
      errors: this.entries.map(({ code, title, detail, source, links }) => ({
        id: randomUUID(),
        status: this.status,
        code,
        title,
        detail,
        source,
        links: links ?? {},
        meta: {},
      })),
    };
  }
}

/** What Klaviyo calls "Invalid input." about a place in the body. */
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

/** Text as Klaviyo writes it about a missing member, e.g. of the resource `request-data`. */
export function missing(pointer: string, field: string, resource: string): ErrorEntry {
  return invalid(pointer, `'${field}' is a required field for the resource '${resource}'.`);
}

export function notFound(what: string, id: string): ApiError {
  return single(404, 'not_found', 'Not found.', `A ${what} with id ${id} does not exist.`);
}

/** Recorded: title and detail are the same, and the pointer ends in a slash. */
export function wrongKey(): ApiError {
  const text = 'Incorrect authentication credentials.';
  return single(401, 'authentication_failed', text, text, { pointer: '/data/' });
}

export function noKey(): ApiError {
  return single(
    401,
    'not_authenticated',
    'Authentication credentials were not provided.',
    'Missing or invalid authorization scheme. Please use Klaviyo-API-Key.',
    { pointer: '/data/' },
  );
}

/** The wording is not recorded anywhere; the status is documented. */
export function scopeMissing(scopes: readonly string[]): ApiError {
  return single(
    403,
    'permission_denied',
    'You do not have permission to perform this action.',
    `The API key is missing required scopes: ${scopes.join(', ')}.`,
    { pointer: '/data/' },
  );
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

export function serverError(status: 500 | 503): ApiError {
  return status === 500
    ? single(500, 'error', 'A server error occurred.', 'A server error occurred.')
    : single(503, 'service_unavailable', 'Service unavailable.', 'Please try again later.');
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
