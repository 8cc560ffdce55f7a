import type { KlaviyoClient } from '../klaviyo/index.js';

/** An account that has one of the names of a metric may have the other one day, or never. */
const ASK_FOR_OTHERS_AFTER_MS = 60_000;

/** Ids of Klaviyo's own metrics, which are others in every account, by their names, which are not. */
export class Metrics {
  readonly #ids = new Map<string, string>();
  #askedAt = -Infinity;

  constructor(private readonly klaviyo: KlaviyoClient) {}

  /**
   * The ids of those of these metrics that the account has: one that never fired it may not list.
   *
   * @param names of one metric, as newer and older accounts have them; an account can have both
   */
  async idsOf(names: readonly string[], signal: AbortSignal): Promise<string[]> {
    const known = () => names.flatMap((name) => this.#ids.get(name) ?? []);
    const have = known().length;
    // Where it has none, each reading asks: an event may be the first of its kind.
    const isDue = have === 0 || performance.now() - this.#askedAt >= ASK_FOR_OTHERS_AFTER_MS;
    if (have < names.length && isDue) {
      for (const { id, name } of await this.klaviyo.listMetrics({ signal })) {
        if (name !== null) this.#ids.set(name, id);
      }
      this.#askedAt = performance.now();
    }
    return known();
  }
}
