import type { KlaviyoClient } from '../../klaviyo/index.js';

/** Names of lists, which events use instead of ids. Each is read once and kept in memory. */
export class ListNames {
  readonly #names = new Map<string, string | null>();

  constructor(private readonly klaviyo: KlaviyoClient) {}

  async nameOf(listId: string, signal: AbortSignal): Promise<string | null> {
    const known = this.#names.get(listId);
    if (known !== undefined) return known;
    const { name } = await this.klaviyo.getList(listId, { signal });
    this.#names.set(listId, name);
    return name;
  }
}
