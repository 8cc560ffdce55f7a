import type { KlaviyoClient } from '../../klaviyo/index.js';

/**
 * An account that has no metric of a name gets it with the first event of its kind. Several ask for it
 * again and again, and the endpoint takes 150 calls a minute.
 */
const ASK_FOR_NONE_AFTER_MS = 1_000;

/** One that has one of the names of a metric may get the other one some day, or never. */
const ASK_FOR_OTHERS_AFTER_MS = 60_000;

/** What is known of an account's metrics is no older than this. */
export const METRICS_LATE_MS = ASK_FOR_OTHERS_AFTER_MS;

/** Ids of Klaviyo's own metrics, which are others in every account, by their names, which are not. */
export class Metrics {
  readonly #ids = new Map<string, string>();
  #askedAt = -Infinity;
  #asking: Promise<void> | null = null;

  constructor(private readonly klaviyo: Pick<KlaviyoClient, 'listMetrics'>) {}

  /**
   * The ids of those of these metrics that the account has: one that never fired it may not list.
   *
   * @param names of one metric, as newer and older accounts have them; an account can have both
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
      // One that fails, or is ended with its activity, is made again by who needs it; so is one that
      // began long ago.
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
