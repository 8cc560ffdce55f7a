/** Profiles in the order of their e-mail address; those without one come last, by number. */
export class EmailOrder {
  #order: number[] = [];
  #added: number[] = [];
  #rebuild = false;

  constructor(
    private readonly emailOf: (index: number) => string | null,
    private readonly all: () => Iterable<number>,
  ) {}

  added(index: number): void {
    this.#added.push(index);
  }

  /** An address changed or went away. */
  changed(): void {
    this.#rebuild = true;
  }

  /** Profiles after (or, descending, before) the given one's place in the order. */
  *walk(
    descending: boolean,
    after: { email: string | null; index: number } | null,
  ): Generator<number> {
    this.#settle();
    const order = this.#order;
    if (!descending) {
      const start = after === null ? 0 : this.#firstAt(after.email, after.index + 1);
      for (let at = start; at < order.length; at++) yield order[at]!;
    } else {
      const start = after === null ? order.length : this.#firstAt(after.email, after.index);
      for (let at = start - 1; at >= 0; at--) yield order[at]!;
    }
  }

  #settle(): void {
    if (this.#rebuild) {
      this.#order = [...this.all()].sort(this.#compare);
    } else if (this.#added.length > 0) {
      this.#order = this.#merge(this.#order, this.#added.sort(this.#compare));
    }
    this.#added = [];
    this.#rebuild = false;
  }

  #merge(long: readonly number[], short: readonly number[]): number[] {
    const merged: number[] = [];
    let at = 0;
    for (const index of short) {
      while (at < long.length && this.#compare(long[at]!, index) < 0) merged.push(long[at++]!);
      merged.push(index);
    }
    while (at < long.length) merged.push(long[at++]!);
    return merged;
  }

  readonly #compare = (a: number, b: number): number =>
    compareEmails(this.emailOf(a), this.emailOf(b)) || a - b;

  #firstAt(email: string | null, index: number): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#order[middle]!;
      const before = compareEmails(this.emailOf(other), email) || other - index;
      if (before < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function compareEmails(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}
