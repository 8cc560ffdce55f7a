import type { EndpointName } from './endpoints.js';
import type { RateLimitReading } from './transport/rate-limit-headers.js';

/**
 * One account-wide limiter for all callers of a Klaviyo account: private keys share the account's
 * budget of each endpoint.
 */
export interface RateLimiter {
  /**
   * Waits until one call to `endpoint` is allowed. Throws `LimiterBusyError` if that takes longer
   * than the limiter waits, and `signal.reason` if `signal` aborts first; in both cases no call is
   * used up.
   */
  acquire(endpoint: EndpointName, signal?: AbortSignal): Promise<void>;
  /** Klaviyo answered 429: no call to `endpoint` before `retryAfterMs` from now. */
  penalise(endpoint: EndpointName, retryAfterMs: number): Promise<void>;
  /** An answer stated the account's limits: these count, not the documented ones. */
  learn?(endpoint: EndpointName, limits: RateLimitReading): void;
}
