import type { RetryableFailure, StoppingFailure } from '../contracts/failures.js';
import { describeEndpoint, endpointOf, type EndpointName } from './endpoints.js';
import type { JsonApiError } from './json-api.js';
import { scrubCode, scrubPointer, scrubText } from './scrub.js';

/**
 * The base of all errors of this library. `failure` is its type in workflows. Messages have codes,
 * titles, pointers, endpoint and status; never a body, an e-mail, a phone number or the key.
 */
export abstract class KlaviyoError extends Error {
  abstract readonly failure: StoppingFailure | RetryableFailure;
  readonly endpoint: EndpointName | null;
  /** HTTP status of the answer; null if there was none. */
  readonly status: number | null;

  constructor(
    message: string,
    at: { endpoint: EndpointName | null; status: number | null },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
    this.endpoint = at.endpoint;
    this.status = at.status;
  }
}

/** 401: Klaviyo does not know the key. */
export class KlaviyoKeyRefusedError extends KlaviyoError {
  readonly failure = 'KlaviyoKeyRefused';

  constructor(at: { endpoint: EndpointName; baseUrl: string }) {
    super(
      `KLAVIYO_API_KEY was refused (401) by ${at.baseUrl}: check that it is a private key ` +
        `("pk_..."), whole, not deleted, and of the account that you mean ` +
        `(Klaviyo: Settings > API keys). Asked: ${describeEndpoint(at.endpoint)}.`,
      { endpoint: at.endpoint, status: 401 },
    );
  }
}

/** 403: Klaviyo knows the key, but it may not do this. */
export class KlaviyoScopeMissingError extends KlaviyoError {
  readonly failure = 'KlaviyoScopeMissing';
  /** The scopes that the endpoint needs; Klaviyo does not say which of them is missing. */
  readonly scopes: readonly string[];

  constructor(at: { endpoint: EndpointName; baseUrl: string; fromKlaviyo: boolean }) {
    const { scopes } = endpointOf(at.endpoint);
    super(
      `KLAVIYO_API_KEY may not use ${describeEndpoint(at.endpoint)} at ${at.baseUrl} (403): ` +
        (at.fromKlaviyo
          ? `it needs the scopes ${scopes.join(', ')}. Create a private key that has them ` +
            `(scopes of an existing key cannot be changed).`
          : `the answer is not from Klaviyo's API, so a proxy or firewall on the way may have ` +
            `refused the call; else the key lacks one of the scopes ${scopes.join(', ')}.`),
      { endpoint: at.endpoint, status: 403 },
    );
    this.scopes = scopes;
  }
}

/** 429: nothing was applied; the call may be made again after `retryAfterMs`. */
export class KlaviyoRateLimitedError extends KlaviyoError {
  readonly failure = 'KlaviyoRateLimited';
  readonly retryAfterMs: number;

  constructor(at: { endpoint: EndpointName; retryAfterMs: number }, options?: ErrorOptions) {
    super(
      `Klaviyo's rate limit of ${describeEndpoint(at.endpoint)} is used up (429): it may be called ` +
        `again in ${at.retryAfterMs} ms. Other integrations with private keys share this limit.`,
      { endpoint: at.endpoint, status: 429 },
      options,
    );
    this.retryAfterMs = at.retryAfterMs;
  }
}

/** 4xx about the request itself: nothing was applied, and the same request will be refused again. */
export class KlaviyoRefusedError extends KlaviyoError {
  readonly failure = 'KlaviyoRequestRefused';
  declare readonly endpoint: EndpointName;
  declare readonly status: number;
  // Neither enumerable nor called `errors`, which inspectors print: details may name a person.
  readonly #apiErrors: readonly JsonApiError[];

  constructor(at: { endpoint: EndpointName; status: number; errors: readonly JsonApiError[] }) {
    super(
      `Klaviyo refused ${describeEndpoint(at.endpoint)} with ${at.status}` +
        `${summary(at.errors)}. ${remedy(at.status)}`,
      at,
    );
    this.#apiErrors = at.errors;
  }

  /** Klaviyo's errors, for the splitter; empty if the body was not JSON:API. */
  get apiErrors(): readonly JsonApiError[] {
    return this.#apiErrors;
  }
}

/** The list is not in this account. */
export class ListNotFoundError extends KlaviyoError {
  readonly failure = 'ListNotFound';

  constructor(at: { endpoint: EndpointName; status: number | null; listId: string }) {
    super(
      `There is no list with the id ${scrubPointer(at.listId)} in this Klaviyo account. Ids are ` +
        `about 6 characters long and part of the list's address in Klaviyo; a name is not an id.`,
      at,
    );
  }
}

/**
 * No usable answer. `ambiguous` is true if a write may have been applied anyway, and false if it
 * certainly was not: the call was never sent, or it was a read.
 */
export class KlaviyoUnavailableError extends KlaviyoError {
  readonly failure = 'KlaviyoUnavailable';
  readonly ambiguous: boolean;
  /** From `Retry-After` of a 503, in milliseconds; null if Klaviyo did not send it. */
  readonly retryAfterMs: number | null;

  constructor(
    what: string,
    at: {
      endpoint: EndpointName;
      status: number | null;
      ambiguous: boolean;
      retryAfterMs?: number | null;
    },
  ) {
    super(
      `${describeEndpoint(at.endpoint)}: ${what}. ` +
        (at.ambiguous
          ? `Klaviyo may or may not have applied it: read back before sending it again.`
          : `Nothing was changed by it; it can be tried again.`),
      at,
    );
    this.ambiguous = at.ambiguous;
    this.retryAfterMs = at.retryAfterMs ?? null;
  }
}

/**
 * The endpoint keeps failing, so its calls wait, longer than a caller is held. The caller may try
 * again after `retryAfterMs`. Nothing was sent.
 */
export class EndpointPausedError extends KlaviyoUnavailableError {
  declare readonly retryAfterMs: number;

  constructor(endpoint: EndpointName, retryAfterMs: number) {
    super(`it keeps failing, so it is not called for ${retryAfterMs} ms; nothing was sent`, {
      endpoint,
      status: null,
      ambiguous: false,
      retryAfterMs,
    });
  }
}

/**
 * A well-formed answer lacks what the API specification promises. Reading on could miss an opt-out,
 * so this stops the run.
 */
export class KlaviyoAnswerUnexpectedError extends KlaviyoError {
  readonly failure = 'KlaviyoAnswerUnexpected';

  constructor(what: string, at: { endpoint: EndpointName; status: number }) {
    super(
      `The answer to ${describeEndpoint(at.endpoint)} is not what Klaviyo's API specification ` +
        `describes: ${what}. Check the configured base URL, and look for a newer Consentry.`,
      at,
    );
  }
}

/** A request that Klaviyo would refuse as a whole, found before it was sent. */
export class KlaviyoRequestInvalidError extends KlaviyoError {
  readonly failure = 'KlaviyoRequestRefused';

  constructor(what: string, endpoint: EndpointName) {
    super(`${endpoint} was not sent: ${what}`, { endpoint, status: null });
  }
}

/** The client was given settings that cannot work. */
export class KlaviyoSettingsError extends KlaviyoError {
  readonly failure = 'SettingsInvalid';

  constructor(what: string) {
    super(what, { endpoint: null, status: null });
  }
}

/** The next free call is further away than the limiter waits. Nothing was sent. */
export class LimiterBusyError extends KlaviyoError {
  readonly failure = 'LimiterBusy';
  readonly retryAfterMs: number;

  constructor(endpoint: EndpointName, retryAfterMs: number) {
    super(
      `The next free call of ${describeEndpoint(endpoint)} is ${retryAfterMs} ms away. ` +
        `Nothing was sent.`,
      { endpoint, status: null },
    );
    this.retryAfterMs = retryAfterMs;
  }
}

const SHOWN_ERRORS = 3;

function summary(errors: readonly JsonApiError[]): string {
  if (errors.length === 0) return ' (the answer is not JSON:API)';
  const shown = errors.slice(0, SHOWN_ERRORS).map((error) => {
    const where = error.pointer ?? error.parameter;
    const title = error.title === '' ? '' : ` (${scrubText(error.title)})`;
    return `${scrubCode(error.code)}${where === null ? '' : ` at ${scrubPointer(where)}`}${title}`;
  });
  const more = errors.length - shown.length;
  return `: ${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function remedy(status: number): string {
  if (status < 400) {
    return 'The base URL redirects, and the key is not sent to the new address. Configure that address instead.';
  }
  switch (status) {
    case 410:
      return 'Klaviyo no longer serves this endpoint or revision: use a newer Consentry.';
    case 413:
    case 414:
    case 431:
      return 'The request is too large: send fewer rows per request.';
    case 415:
      return 'The content type was refused: a proxy on the way may have changed it.';
    case 404:
    case 405:
      return 'Check the configured base URL, and that the resource with this id still exists.';
    default:
      return 'Nothing was applied. The pointers name the rows and fields to correct.';
  }
}
