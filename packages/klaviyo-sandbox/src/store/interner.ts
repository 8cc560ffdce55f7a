/** A few distinct texts, each stored once and identified by a number. Number 0 is null. */
export class Interner {
  readonly #texts: (string | null)[] = [null];
  readonly #numbers = new Map<string, number>();

  numberOf(text: string | null): number {
    if (text === null) return 0;
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#texts.push(text) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }

  text(number: number): string | null {
    return this.#texts[number] ?? null;
  }
}
