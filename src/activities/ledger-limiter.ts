import { setTimeout as delay } from 'node:timers/promises';
import {
  endpointOf,
  LimiterBusyError,
  type EndpointName,
  type RateLimiter,
  type RateLimitReading,
} from '../klaviyo/index.js';
import {
  getShare,
  grantCall,
  keyFingerprint,
  penalise,
  type Grant,
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
    const end = performance.now() + MAX_WAIT_MS;
    for (;;) {
      signal?.throwIfAborted();
      const left = Math.max(0, Math.floor(end - performance.now()));
      const { granted, waitMs } = await this.#ask(endpoint, left);
      if (!granted && waitMs > left) throw new LimiterBusyError(endpoint, waitMs);
      if (waitMs > 0) await delay(waitMs, undefined, signal ? { signal } : {});
      if (granted) return;
    }
  }

  async #ask(endpoint: EndpointName, maxWaitMs: number): Promise<Grant> {
    const { burst, steady } = this.#learned.get(endpoint) ?? endpointOf(endpoint);
    return grantCall(this.ledger.db, {
      account: this.#account,
      endpoint,
      burst: Math.max(1, Math.floor(burst * SHARE)),
      steady: Math.max(1, Math.floor(steady * SHARE)),
      maxWaitMs,
      ...(await this.#runLimits(burst, steady)),
    });
  }

  /**
   * The share is read for every call, so that a change counts at once for what is under way. A run
   * without a share of its own is bound by the account's limits alone.
   */
  async #runLimits(burst: number, steady: number): Promise<Pick<GrantRequest, 'run'>> {
    const run = this.currentRun();
    const share = run === null ? 1 : await getShare(this.ledger.db, run.migrationId);
    if (run === null || share === 1) return {};
    return {
      run: {
        id: run.migrationId,
        burst: Math.max(1, Math.floor(burst * share)),
        // A person of an e-mail and a phone number is two look-ups.
        steady: Math.max(2, Math.floor(steady * share)),
      },
    };
  }

  learn(endpoint: EndpointName, limits: RateLimitReading): void {
    this.#learned.set(endpoint, limits);
  }

  async penalise(endpoint: EndpointName, retryAfterMs: number): Promise<void> {
    await penalise(this.ledger.db, this.#account, endpoint, retryAfterMs);
  }
}
