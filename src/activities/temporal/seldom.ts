/**
 * Does something about each of many things no more often than every so many ms. What is asked for in
 * between is done once, at the end of that time, so that the last word still gets through.
 */
export class Seldom {
  /** Things that were seen to a short while ago, and what is to be done about them next. */
  readonly #recent = new Map<string, (() => Promise<void>) | null>();

  constructor(private readonly everyMs: number) {}

  /** @throws what `act` throws, where it is done now; later it is in vain */
  async do(of: string, act: () => Promise<void>): Promise<void> {
    if (this.#recent.has(of)) {
      this.#recent.set(of, act);
      return;
    }
    this.#wait(of);
    await act();
  }

  #wait(of: string): void {
    this.#recent.set(of, null);
    setTimeout(() => {
      const next = this.#recent.get(of) ?? null;
      this.#recent.delete(of);
      // Whoever asked has gone on: the next change of the thing tells of it again.
      if (next !== null) this.do(of, next).catch(() => undefined);
    }, this.everyMs).unref();
  }
}
