import { parseHttpDate } from './http-date.js';

/** The wait without a usable header, in milliseconds; Klaviyo's windows are 1 s and 60 s. */
export const DEFAULT_RETRY_AFTER_MS = 10_000;

/** "Immediate retries will always receive a 429", so less than a second is never returned. */
const SHORTEST_MS = 1_000;

/** Longer than any documented window except the daily ones; a garbled huge number must not stop a run. */
const LONGEST_MS = 3_600_000;

/**
 * Milliseconds to wait after a 429 or 503, from `Retry-After` in seconds or as an HTTP date. A date
 * is compared with the answer's own `Date` header if it has one, so that a wrong local clock does
 * no harm. Null if the header is missing or unreadable.
 */
export function parseRetryAfter(
  retryAfter: string | undefined,
  date: string | undefined,
  now: number = Date.now(),
): number | null {
  const text = retryAfter?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return clamp(Number(text) * 1_000);
  const until = parseHttpDate(text);
  return until === null ? null : clamp(until - (parseHttpDate(date) ?? now));
}

function clamp(ms: number): number {
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, Math.ceil(ms)));
}
