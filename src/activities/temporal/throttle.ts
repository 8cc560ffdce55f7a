/**
 * Acts on each key at most once every so many milliseconds. Requests in between are merged: the last
 * one is carried out at the end of that time, so that the latest state always gets through.
 */
export class Throttle {
  /** Keys that were acted on recently, and what to do next for each. */
  readonly #recent = new Map<string, (() => Promise<void>) | null>();

  constructor(private readonly everyMs: number) {}

  /** @throws what `act` throws, if it runs now; errors of a later run are ignored */
  async do(key: string, act: () => Promise<void>): Promise<void> {
    if (this.#recent.has(key)) {
      this.#recent.set(key, act);
      return;
    }
    this.#wait(key);
    await act();
  }

  #wait(key: string): void {
    this.#recent.set(key, null);
    setTimeout(() => {
      const next = this.#recent.get(key) ?? null;
      this.#recent.delete(key);
      // The caller has gone on; the next change of this key tries again.
      if (next !== null) this.do(key, next).catch(() => undefined);
    }, this.everyMs).unref();
  }
}
