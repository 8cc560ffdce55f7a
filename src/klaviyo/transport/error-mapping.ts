import { isWrite, type EndpointName } from '../endpoints.js';
import {
  KlaviyoKeyRefusedError,
  KlaviyoRateLimitedError,
  KlaviyoRefusedError,
  KlaviyoScopeMissingError,
  KlaviyoUnavailableError,
  type KlaviyoError,
} from '../errors.js';
import { parseJsonApiErrors } from '../json-api.js';
import { DEFAULT_RETRY_AFTER_MS, parseRetryAfter } from './retry-after.js';

/** The answer to one call; the body is null if it broke off. */
export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: string | null;
  /**
   * When the request began to be written, when the answer's head had arrived, and when all of it
   * had (`performance.now()`).
   */
  readonly sentAt: number;
  readonly headAt: number;
  readonly endAt: number;
}

/** The error of an answer that is not a success (2xx). */
export function errorOfAnswer(
  endpoint: EndpointName,
  answer: Answer,
  baseUrl: string,
): KlaviyoError {
  const { status } = answer;
  const retryAfterMs = parseRetryAfter(answer.header('retry-after'), answer.header('date'));
  if (status === 429) {
    return new KlaviyoRateLimitedError({
      endpoint,
      retryAfterMs: retryAfterMs ?? DEFAULT_RETRY_AFTER_MS,
    });
  }
  // A proxy's 408 means "the request did not arrive in time": as unclear as a 5xx.
  if (status >= 500 || status === 408) {
    return new KlaviyoUnavailableError(`${baseUrl} answered ${status}`, {
      endpoint,
      status,
      ambiguous: isWrite(endpoint),
      retryAfterMs,
    });
  }
  if (status === 401) return new KlaviyoKeyRefusedError({ endpoint, baseUrl });
  const errors = parseJsonApiErrors(answer.body);
  if (status === 403) {
    return new KlaviyoScopeMissingError({ endpoint, baseUrl, fromKlaviyo: errors.length > 0 });
  }
  if (answer.body === null) {
    return new KlaviyoUnavailableError(
      `refused (${status}), but the answer was cut short before it said why`,
      { endpoint, status, ambiguous: false },
    );
  }
  return new KlaviyoRefusedError({ endpoint, status, errors });
}

/** A success whose body is needed but unreadable: cut short, or from a proxy. */
export function unreadableAnswer(endpoint: EndpointName, status: number): KlaviyoUnavailableError {
  return new KlaviyoUnavailableError(
    `the answer (${status}) was cut short, or is not Klaviyo's but a proxy's`,
    { endpoint, status, ambiguous: isWrite(endpoint) },
  );
}

/** No complete answer within the client's time-out. */
export function timedOut(
  endpoint: EndpointName,
  timeoutMs: number,
  onTheWire: boolean,
): KlaviyoUnavailableError {
  return new KlaviyoUnavailableError(
    onTheWire
      ? `no complete answer within ${timeoutMs} ms`
      : `no connection was free or could be made within ${timeoutMs} ms`,
    { endpoint, status: null, ambiguous: onTheWire && isWrite(endpoint) },
  );
}

/**
 * The error of a call that ended without an answer. `onTheWire` is false if no byte of the request
 * was written: connecting (name, port, TLS) failed.
 */
export function errorOfConnection(
  endpoint: EndpointName,
  cause: unknown,
  baseUrl: string,
  onTheWire: boolean,
): KlaviyoUnavailableError {
  const code = codeOf(cause);
  const what = onTheWire
    ? `the connection to ${baseUrl} broke off before the answer was complete (${code})`
    : `no connection to ${baseUrl} (${code}): ${connectionHint(code)}`;
  return new KlaviyoUnavailableError(what, {
    endpoint,
    status: null,
    ambiguous: onTheWire && isWrite(endpoint),
  });
}

/** System and TLS codes only: messages may quote received data. */
function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return codeOf(cause.errors[0]);
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'unknown cause';
}

function connectionHint(code: string): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is not known here';
  if (code === 'ECONNREFUSED') return 'no server listens at that address';
  if (/CERT|TLS|SSL|SELF_SIGNED|EPROTO|ISSUER/.test(code)) return 'the TLS handshake failed';
  return 'check the network and the configured base URL';
}
