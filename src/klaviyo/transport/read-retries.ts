import { EndpointPausedError, KlaviyoUnavailableError } from '../errors.js';
import type { Patience } from './patience.js';

/**
 * What the tries of a read get of the whole time-out; the last gets all of it. Klaviyo answers a page
 * of 100 in 0.3 to 1.6 s, so a read that is silent for a fifth of 30 s is most likely lost, and a new
 * one is answered sooner. Each gets more, because a slow Klaviyo must not be asked in vain for ever.
 */
const TIMEOUTS: readonly number[] = [1 / 5, 1 / 3, 2 / 3];

/**
 * How long a try of a read waits for its answer, in milliseconds.
 *
 * @param tryNumber from 1
 * @param timeoutMs the longest, which every write gets
 */
export function timeoutOfTry(tryNumber: number, tries: number, timeoutMs: number): number {
  const share = tryNumber >= tries ? 1 : (TIMEOUTS[tryNumber - 1] ?? 1);
  return Math.ceil(timeoutMs * share);
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
