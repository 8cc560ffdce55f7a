import {
  ENDPOINT_NAMES,
  type Endpoint,
  type EndpointName,
} from '../../../src/klaviyo/endpoints.js';
import { KlaviyoSettingsError, LimiterBusyError } from '../../../src/klaviyo/errors.js';
import type { RateLimiter } from '../../../src/klaviyo/limiter.js';

export interface LocalLimiterOptions {
  /** `acquire` throws `LimiterBusyError` rather than wait longer than this. Default: no bound. */
  readonly maxWaitMs?: number;
}

/**
 * A limiter inside one process, for tests and tools that run alone: first come, first served, and
 * never more than `share` (0 < share <= 1) of an endpoint's calls in any second and any minute. A
 * log that slides holds under Klaviyo's fixed windows wherever those begin. Calls granted a second
 * apart can still arrive closer together, so a share of 1 meets a 429 now and then.
 */
export function createLocalLimiter(
  endpoints: Readonly<Record<EndpointName, Endpoint>>,
  share: number,
  options: LocalLimiterOptions = {},
): RateLimiter {
  if (!(share > 0 && share <= 1)) {
    throw new KlaviyoSettingsError(
      `The limiter's share of Klaviyo's rate limits is ${share}; it must be above 0 and at most 1.`,
    );
  }
  const maxWaitMs = options.maxWaitMs ?? Infinity;
  const lanes = new Map(
    ENDPOINT_NAMES.map((name) => [name, new Lane(name, endpoints[name], share, maxWaitMs)]),
  );
  const laneOf = (name: EndpointName): Lane => {
    const lane = lanes.get(name);
    if (lane === undefined) throw new KlaviyoSettingsError(`No endpoint is called ${name}.`);
    return lane;
  };
  return {
    acquire: (endpoint, signal) => laneOf(endpoint).acquire(signal),
    penalise: async (endpoint, retryAfterMs) => laneOf(endpoint).penalise(retryAfterMs),
  };
}

interface Waiter {
  grant(): void;
}

/** Klaviyo's windows in milliseconds, with a margin for calls that arrive later than granted. */
const SECOND = 1_100;
const MINUTE = 60_500;

/** The calls of one endpoint. */
class Lane {
  readonly #name: EndpointName;
  readonly #burst: number;
  readonly #steady: number;
  readonly #maxWaitMs: number;
  /** When the latest calls were granted, oldest first; at most `steady` of them. */
  readonly #granted: number[] = [];
  readonly #waiting: Waiter[] = [];
  #closedUntil = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(name: EndpointName, limits: Endpoint, share: number, maxWaitMs: number) {
    this.#name = name;
    this.#burst = Math.max(1, Math.floor(limits.burst * share));
    this.#steady = Math.max(1, Math.floor(limits.steady * share));
    this.#maxWaitMs = maxWaitMs;
  }

  acquire(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const waitMs = this.#waitOfNewcomer();
      if (waitMs > this.#maxWaitMs) throw new LimiterBusyError(this.#name, Math.ceil(waitMs));

      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal?.reason as Error);
        this.#admit();
      };
      const waiter: Waiter = {
        grant: () => {
          signal?.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(waiter);
      this.#admit();
    });
  }

  penalise(retryAfterMs: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, performance.now() + retryAfterMs);
    this.#admit();
  }

  /** Grants what may be granted now, and comes back when the next in line may go. */
  #admit(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    while (this.#waiting.length > 0) {
      const now = performance.now();
      const waitMs = this.#nextFree(this.#granted, now) - now;
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#admit(), Math.ceil(waitMs));
        return;
      }
      this.#granted.push(now);
      if (this.#granted.length > this.#steady) this.#granted.shift();
      this.#waiting.shift()?.grant();
    }
  }

  #nextFree(granted: readonly number[], now: number): number {
    const secondAgo = granted.at(-this.#burst);
    const minuteAgo = granted.at(-this.#steady);
    return Math.max(
      now,
      this.#closedUntil,
      secondAgo === undefined ? 0 : secondAgo + SECOND,
      minuteAgo === undefined ? 0 : minuteAgo + MINUTE,
    );
  }

  /** How long one more caller would wait behind those who wait already. */
  #waitOfNewcomer(): number {
    const now = performance.now();
    const granted = [...this.#granted];
    for (let ahead = 0; ahead < this.#waiting.length; ahead++) {
      granted.push(this.#nextFree(granted, granted.at(-1) ?? now));
    }
    return this.#nextFree(granted, now) - now;
  }
}
