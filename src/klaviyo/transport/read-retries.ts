import { EndpointPausedError, KlaviyoUnavailableError } from '../errors.js';
import type { Patience } from './patience.js';

/**
 * The largest share of the time-out that each try of a read gets; the last try gets all of it. Each
 * try gets more, so that a slow Klaviyo can still answer in the end.
 */
const TIMEOUTS: readonly number[] = [1 / 5, 1 / 3, 2 / 3];

/**
 * Assumed before the first answer: Klaviyo answers a page of 100 in 0.3 to 1.6 s, mostly in less
 * than 0.5 s.
 */
export const FIRST_USUAL_MS = 400;
/** No answer of a healthy endpoint takes this many times its usual time. */
const PATIENT_TIMES = 8;
/** In milliseconds: the network may stall, however fast the answers are. */
const SHORTEST_MS = 2_000;

/**
 * How long a try of a read waits for its answer, in milliseconds: less if the endpoint usually
 * answers quickly, and twice as long with each further try, in case it has become slow.
 *
 * @param tryNumber from 1
 * @param timeoutMs the full time-out, which every write gets
 * @param usualMs how long the endpoint's answers usually take
 */
export function timeoutOfTry(
  tryNumber: number,
  tries: number,
  timeoutMs: number,
  usualMs: number = FIRST_USUAL_MS,
): number {
  if (tryNumber >= tries) return timeoutMs;
  const most = Math.ceil(timeoutMs * (TIMEOUTS[tryNumber - 1] ?? 1));
  const known = Math.max(SHORTEST_MS, usualMs * PATIENT_TIMES) * 2 ** (tryNumber - 1);
  return Math.min(most, Math.ceil(known));
}

/** The weight of a new answer in the usual time of an endpoint's answers. */
const WEIGHT = 0.1;

/** The usual time of answers after one more that took `ms`: the latest answers count most. */
export function usualAfter(usualMs: number, ms: number): number {
  return usualMs + WEIGHT * (ms - usualMs);
}

/**
 * How long to wait before a failed read is retried, in milliseconds; null if it is not retried. A
 * read is retried only if there was no answer, or none from Klaviyo. The wait is a random time from
 * 0 to a bound that doubles, so that calls that failed together do not come back together; undici's
 * own retries have no jitter, and would bypass the limiter.
 *
 * @param tryNumber of the try that failed, from 1
 * @param random from 0 to 1
 */
export function waitBeforeRetry(
  error: unknown,
  tryNumber: number,
  patience: Patience,
  random: number = Math.random(),
): number | null {
  if (!(error instanceof KlaviyoUnavailableError) || error instanceof EndpointPausedError) {
    return null;
  }
  if (tryNumber >= patience.tries) return null;
  if (error.retryAfterMs === null) return random * patience.retryMs * 2 ** (tryNumber - 1);
  return error.retryAfterMs > patience.holdMs
    ? null
    : error.retryAfterMs + random * patience.retryMs;
}
