import type { KlaviyoClient } from '../../klaviyo/index.js';

/** A name that no list has now may be one of before: the names are read again after this at the earliest. */
const ASK_AGAIN_AFTER_MS = 60_000;

/** Names of the account's lists, which events use instead of ids. They are kept in memory. */
export class ListNames {
  /** By id. */
  #names = new Map<string, string | null>();
  #askedAt = -Infinity;

  constructor(private readonly klaviyo: Pick<KlaviyoClient, 'listLists'>) {}

  /**
   * Whether an event that names a list may be of this one. A name that no list has may be the one that
   * this list had when it happened, and so may a name that is missing.
   */
  async mayBe(listId: string, name: string | null, signal: AbortSignal): Promise<boolean> {
    if (name === null) return true;
    if (!this.#isNameOfAny(name)) await this.#readAgain(signal);
    return this.#names.get(listId) === name || !this.#isNameOfAny(name);
  }

  #isNameOfAny(name: string): boolean {
    return [...this.#names.values()].includes(name);
  }

  async #readAgain(signal: AbortSignal): Promise<void> {
    const now = performance.now();
    if (now - this.#askedAt < ASK_AGAIN_AFTER_MS) return;
    const lists = await this.klaviyo.listLists({ signal });
    this.#names = new Map(lists.map(({ id, name }) => [id, name]));
    this.#askedAt = now;
  }
}
