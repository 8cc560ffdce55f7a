import { EndpointPausedError, KlaviyoUnavailableError } from '../errors.js';
import type { Patience } from './patience.js';

/**
 * What the tries of a read get of the whole time-out at most; the last gets all of it. Each gets more,
 * because a slow Klaviyo must not be asked in vain for ever.
 */
const TIMEOUTS: readonly number[] = [1 / 5, 1 / 3, 2 / 3];

/** Before its first answer: Klaviyo answers a page of 100 in 0.3 to 1.6 s, most in less than a half. */
export const FIRST_USUAL_MS = 400;
/** So many times as long as its answers take as a rule, no answer of an endpoint that is well takes. */
const PATIENT_TIMES = 8;
/** Milliseconds: whatever the answers take, the network may falter. */
const SHORTEST_MS = 2_000;

/**
 * How long a try of a read waits for its answer, in milliseconds: less where the endpoint is known to
 * answer quickly, and twice as long with each further try, in case it has become slow.
 *
 * @param tryNumber from 1
 * @param timeoutMs the longest, which every write gets
 * @param usualMs what the endpoint's answers take as a rule
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

/** The weight of one more answer in what an endpoint's answers take as a rule. */
const WEIGHT = 0.1;

/** What answers take as a rule after one more that took `ms`: the latest of them count most. */
export function usualAfter(usualMs: number, ms: number): number {
  return usualMs + WEIGHT * (ms - usualMs);
}

/**
 * How long to wait before a read that has failed is tried again, in milliseconds; null where it is not.
 * Only what says nothing about the read itself is tried again: no answer, or none of Klaviyo's. The
 * wait is anything from 0 to a bound that doubles, so that calls that failed together do not come back
 * together; undici's own retries know no jitter, and would go past the limiter.
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
