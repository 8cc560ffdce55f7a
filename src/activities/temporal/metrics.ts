import type { KlaviyoClient } from '../../klaviyo/index.js';

/**
 * An account gets a metric with the first event of its kind. Until then several readers keep asking
 * for it, and the endpoint allows 150 calls a minute.
 */
const ASK_FOR_NONE_AFTER_MS = 1_000;

/** An account that has one of a metric's names may get the other one later, or never. */
const ASK_FOR_OTHERS_AFTER_MS = 60_000;

/** The known metrics of an account are never older than this. */
export const METRICS_LATE_MS = ASK_FOR_OTHERS_AFTER_MS;

/** Ids of Klaviyo's own metrics by name: names are the same in every account, ids are not. */
export class Metrics {
  readonly #ids = new Map<string, string>();
  #askedAt = -Infinity;
  #asking: Promise<void> | null = null;

  constructor(private readonly klaviyo: Pick<KlaviyoClient, 'listMetrics'>) {}

  /**
   * The ids of these metrics that the account has: a metric that never fired may not be listed.
   *
   * @param names names of one metric in newer and older accounts; an account can have both
   */
  async idsOf(names: readonly string[], signal: AbortSignal): Promise<string[]> {
    const known = () => names.flatMap((name) => this.#ids.get(name) ?? []);
    const isDue = () => {
      const have = known().length;
      const afterMs = have === 0 ? ASK_FOR_NONE_AFTER_MS : ASK_FOR_OTHERS_AFTER_MS;
      return have < names.length && performance.now() - this.#askedAt >= afterMs;
    };
    while (isDue()) {
      if (this.#asking === null) {
        await this.#askAlone(signal);
        break;
      }
      // If that request fails, ends with its activity or began too long ago, the next caller that
      // needs it asks again.
      await this.#asking.catch(() => undefined);
      signal.throwIfAborted();
    }
    return known();
  }

  async #askAlone(signal: AbortSignal): Promise<void> {
    this.#asking = this.#ask(signal);
    try {
      await this.#asking;
    } finally {
      this.#asking = null;
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const askedAt = performance.now();
    for (const { id, name } of await this.klaviyo.listMetrics({ signal })) {
      if (name !== null) this.#ids.set(name, id);
    }
    this.#askedAt = askedAt;
  }
}
