/** A text that few profiles have, and that is unique among them. */
export class UniqueTexts {
  readonly #texts = new Map<number, string>();
  readonly #owners = new Map<string, number>();

  of(index: number): string | null {
    return this.#texts.get(index) ?? null;
  }

  owner(text: string): number | undefined {
    return this.#owners.get(text);
  }

  /** The previous owner of the text loses it. */
  set(index: number, text: string | null): void {
    const before = this.#texts.get(index);
    if (before !== undefined) this.#owners.delete(before);
    this.#texts.delete(index);
    if (text === null) return;
    const owner = this.#owners.get(text);
    if (owner !== undefined) this.#texts.delete(owner);
    this.#texts.set(index, text);
    this.#owners.set(text, index);
  }
}
