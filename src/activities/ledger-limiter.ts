import { setTimeout as delay } from 'node:timers/promises';
import {
  endpointOf,
  LimiterBusyError,
  type EndpointName,
  type RateLimiter,
  type RateLimitReading,
} from '../klaviyo/index.js';
import {
  grantCall,
  keyFingerprint,
  penalise,
  type GrantRequest,
  type Ledger,
} from '../ledger/index.js';
import type { Run } from './call-meter.js';

/** A call further away than this is given back to Temporal: waiting here would hold a slot. */
const MAX_WAIT_MS = 5_000;

/** Part of Klaviyo's limits that Consentry uses; the rest is for the account's other integrations. */
const SHARE = 0.9;

/** The account's limiter, in the ledger: one for all workers and migrations that use the key. */
export class LedgerLimiter implements RateLimiter {
  readonly #account: string;
  readonly #learned = new Map<EndpointName, RateLimitReading>();

  constructor(
    private readonly ledger: Ledger,
    apiKey: string,
    /** The migration that is calling; null for a call of no migration. */
    private readonly currentRun: () => Run | null,
  ) {
    this.#account = keyFingerprint(apiKey);
  }

  async acquire(endpoint: EndpointName, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { burst, steady } = this.#learned.get(endpoint) ?? endpointOf(endpoint);
    const { granted, waitMs } = await grantCall(this.ledger.db, {
      account: this.#account,
      endpoint,
      burst: Math.max(1, Math.floor(burst * SHARE)),
      steady: Math.max(1, Math.floor(steady * SHARE)),
      maxWaitMs: MAX_WAIT_MS,
      ...runLimits(this.currentRun(), burst, steady),
    });
    if (!granted) throw new LimiterBusyError(endpoint, waitMs);
    if (waitMs > 0) await delay(waitMs, undefined, signal ? { signal } : {});
  }

  learn(endpoint: EndpointName, limits: RateLimitReading): void {
    this.#learned.set(endpoint, limits);
  }

  async penalise(endpoint: EndpointName, retryAfterMs: number): Promise<void> {
    await penalise(this.ledger.db, this.#account, endpoint, retryAfterMs);
  }
}

/** A run without a share of its own is bound by the account's limits alone. */
function runLimits(run: Run | null, burst: number, steady: number): Pick<GrantRequest, 'run'> {
  if (run === null || run.share === 1) return {};
  return {
    run: {
      id: run.migrationId,
      burst: Math.max(1, Math.floor(burst * run.share)),
      steady: Math.max(1, Math.floor(steady * run.share)),
    },
  };
}
