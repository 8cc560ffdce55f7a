import { setTimeout as delay } from 'node:timers/promises';
import {
  endpointOf,
  LimiterBusyError,
  type EndpointName,
  type RateLimiter,
  type RateLimitReading,
} from '../../klaviyo/index.js';
import {
  grantCall,
  penalise,
  termsOf,
  type Grant,
  type GrantRequest,
  type Ledger,
} from '../../ledger/index.js';
import type { CallingRun } from './call-meter.js';
import { stopping } from './failures.js';

/** A call that must wait longer goes back to Temporal: waiting here would hold a slot. */
const MAX_WAIT_MS = 5_000;

/** Part of Klaviyo's limits that Consentry uses; the rest is for the account's other integrations. */
const SHARE = 0.95;

/** Workers that do not know their account yet make one call each and share its limit. */
const UNPROVED = 'unproved';

/**
 * The account's limiter, in the ledger: one for all workers, keys and runs of the account. Every
 * call passes it, so it also ensures that no call for one account is made with the key of another.
 */
export class LedgerLimiter implements RateLimiter {
  readonly #learned = new Map<EndpointName, RateLimitReading>();
  #accountId = UNPROVED;

  constructor(
    private readonly ledger: Ledger,
    /** The run that is calling; null for a call without a run. */
    private readonly currentRun: () => CallingRun | null,
  ) {}

  /** The account of the key is known. */
  proved(accountId: string): void {
    this.#accountId = accountId;
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
      account: this.#accountId,
      endpoint,
      burst: Math.max(1, Math.floor(burst * SHARE)),
      steady: Math.max(1, Math.floor(steady * SHARE)),
      maxWaitMs,
      ...(await this.#runLimits(burst, steady)),
    });
  }

  /**
   * The run's terms are read for every call, so that a change takes effect at once. A run without
   * its own share is bound only by the account's limits.
   *
   * @throws AccountMismatch if the run is for another account, MigrationNotFound if it was deleted
   */
  async #runLimits(burst: number, steady: number): Promise<Pick<GrantRequest, 'run'>> {
    const run = this.currentRun();
    if (run === null) return {};
    const terms = await termsOf(this.ledger.db, run.id);
    if (terms === null) {
      throw stopping(
        'MigrationNotFound',
        `The ledger has no run ${run.id} any more: nothing was called for it.`,
      );
    }
    if (terms.accountId !== this.#accountId) {
      throw stopping(
        'AccountMismatch',
        `The run is for account ${terms.accountId ?? 'none'}, but this worker has a key of account ` +
          `${this.#accountId}: no call was made. Start a worker with a key of the run's account.`,
      );
    }
    run.held = terms.held;
    const { share } = terms;
    if (share === 1) return {};
    return {
      run: {
        id: run.id,
        burst: Math.max(1, Math.floor(burst * share)),
        // A person with an e-mail and a phone number takes two look-ups.
        steady: Math.max(2, Math.floor(steady * share)),
      },
    };
  }

  learn(endpoint: EndpointName, limits: RateLimitReading): void {
    this.#learned.set(endpoint, limits);
  }

  async penalise(endpoint: EndpointName, retryAfterMs: number): Promise<void> {
    await penalise(this.ledger.db, this.#accountId, endpoint, retryAfterMs);
  }
}
