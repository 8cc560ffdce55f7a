/** What an answer says about the limits of its endpoint. */
export interface RateLimitReading {
  /** Calls in any second. */
  readonly burst: number;
  /** Calls in any minute. */
  readonly steady: number;
  /** Calls left in the window that will run out first. */
  readonly remaining: number;
  /** The length of that window in seconds. */
  readonly window: 1 | 60;
}

/** More than Klaviyo ever allows: a garbled huge number must not block an endpoint. */
const MOST = { burst: 10_000, steady: 100_000 } as const;

/**
 * Reads `RateLimit-Limit` (`75, 75;w=1, 750;w=60`), `RateLimit-Remaining` and `RateLimit-Reset`.
 * The documentation says that the last two are about the minute; recorded answers under light
 * traffic are about the second. More calls than a second allows, or a reset after more than a
 * second, mean the minute.
 *
 * @returns null if a header is missing or has another form, as on a 429
 */
export function readRateLimits(
  header: (name: string) => string | undefined,
): RateLimitReading | null {
  const limits = new Map<number, number>();
  for (const [, calls, seconds] of (header('ratelimit-limit') ?? '').matchAll(/(\d+);w=(\d+)/g)) {
    limits.set(Number(seconds), Number(calls));
  }
  const [burst, steady] = [limits.get(1), limits.get(60)];
  const remaining = whole(header('ratelimit-remaining'));
  const reset = whole(header('ratelimit-reset'));
  if (burst === undefined || steady === undefined || remaining === null || reset === null) {
    return null;
  }
  return {
    burst: Math.min(burst, MOST.burst),
    steady: Math.min(steady, MOST.steady),
    remaining: Math.min(remaining, MOST.steady),
    window: remaining > burst || reset > 1 ? 60 : 1,
  };
}

function whole(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}
