import type { Clock } from '../../time/clock.js';
import { throttled } from './errors.js';
import type { NamedLimit, RateLimit } from '../operation.js';

interface Window {
  seconds: number;
  allowed: number;
  /** Real ms. */
  opened: number;
  used: number;
}

/**
 * Fixed windows of 1 s and 60 s for each endpoint of the account; each opens with its first call. A
 * refused call does not count. `speed` shortens the windows as it shortens the delays.
 */
export class RateLimiter {
  readonly #windows = new Map<string, Window[]>();

  /** @param factor multiplies every limit; at least one call is allowed */
  constructor(
    private readonly clock: Clock,
    private readonly factor: number,
  ) {}

  /**
   * Counts a call against every given limit.
   * @returns the headers of an accepted call, which describe its own (first) limit
   * @throws ApiError 429 with the seconds until the fullest window ends
   */
  take(limits: readonly NamedLimit[]): Record<string, string> {
    const now = this.clock.now();
    const all = limits.map(({ name, limit }) => this.#windowsOf(name, limit, now));
    const full = all.flat().filter((window) => window.used >= window.allowed);
    if (full.length > 0) {
      throw throttled(Math.max(...full.map((window) => Math.ceil(this.#left(window, now))), 1));
    }
    for (const window of all.flat()) window.used += 1;
    return this.#headers(all[0]!, now);
  }

  #windowsOf(name: string, limit: RateLimit, now: number): Window[] {
    let windows = this.#windows.get(name);
    if (windows === undefined) {
      const allowed = (calls: number) => Math.max(1, Math.round(calls * this.factor));
      windows = [windowOf(1, allowed(limit.burst)), windowOf(60, allowed(limit.steady))];
      if (limit.day !== undefined) windows.push(windowOf(86_400, allowed(limit.day)));
      this.#windows.set(name, windows);
    }
    for (const window of windows) {
      if (now >= window.opened + this.#length(window))
        Object.assign(window, { opened: now, used: 0 });
    }
    return windows;
  }

  #headers(windows: readonly Window[], now: number): Record<string, string> {
    const closest = windows.reduce((a, b) => (remaining(b) < remaining(a) ? b : a));
    const policy = windows.map(({ allowed, seconds }) => `${allowed};w=${seconds}`);
    return {
      'ratelimit-limit': [windows[0]!.allowed, ...policy].join(', '),
      'ratelimit-remaining': String(remaining(closest)),
      'ratelimit-reset': String(Math.ceil(this.#left(closest, now)) - 1),
    };
  }

  /** Real ms. */
  #length({ seconds }: Window): number {
    return (seconds * 1_000) / this.clock.speed;
  }

  /** Real seconds until the window ends. */
  #left(window: Window, now: number): number {
    return (window.opened + this.#length(window) - now) / 1_000;
  }
}

const windowOf = (seconds: number, allowed: number): Window => ({
  seconds,
  allowed,
  opened: -Infinity,
  used: 0,
});

const remaining = ({ allowed, used }: Window): number => allowed - used;
