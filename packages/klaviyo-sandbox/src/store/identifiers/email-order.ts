/** The profiles to sort. */
interface Addressed {
  /** One more than the highest number ever given. */
  readonly end: number;
  email(index: number): string | null;
  isAlive(index: number): boolean;
}

/**
 * Profiles in the order of their e-mail address; those without one come last, by number. The order
 * is built when it is first needed; after that, only new and changed profiles are inserted.
 */
export class EmailOrder {
  #order: Uint32Array = new Uint32Array(0);
  /** The order contains the profiles before this number. */
  #known = 0;
  readonly #moved = new Set<number>();

  constructor(private readonly profiles: Addressed) {}

  /** Call this when the profile's address changed or the profile was deleted. */
  changed(index: number): void {
    if (index < this.#known) this.#moved.add(index);
  }

  /** Profiles after (or, descending, before) the given position. */
  *walk(
    descending: boolean,
    after: { email: string | null; index: number } | null,
  ): Generator<number> {
    this.#settle();
    const order = this.#order;
    if (!descending) {
      const start = after === null ? 0 : this.#firstAt(order, after.email, after.index + 1);
      for (let at = start; at < order.length; at++) yield order[at]!;
    } else {
      const end = order.length;
      const start = after === null ? end : this.#firstAt(order, after.email, after.index);
      for (let at = start - 1; at >= 0; at--) yield order[at]!;
    }
  }

  #settle(): void {
    const { end } = this.profiles;
    if (this.#known === end && this.#moved.size === 0) return;
    const moved = this.#moved;
    const staying = moved.size === 0 ? this.#order : this.#order.filter((i) => !moved.has(i));
    const coming = [...moved];
    for (let index = this.#known; index < end; index++) coming.push(index);
    const alive = coming.filter((index) => this.profiles.isAlive(index));
    this.#order = this.#merge(staying, alive.sort(this.#compare));
    this.#known = end;
    moved.clear();
  }

  /**
   * Copies the ranges between the inserted ones, so that a million entries are not compared again.
   */
  #merge(many: Uint32Array, few: readonly number[]): Uint32Array {
    const merged = new Uint32Array(many.length + few.length);
    let copied = 0;
    few.forEach((index, i) => {
      const place = this.#firstAt(many, this.profiles.email(index), index);
      merged.set(many.subarray(copied, place), copied + i);
      merged[place + i] = index;
      copied = place;
    });
    merged.set(many.subarray(copied), copied + few.length);
    return merged;
  }

  readonly #compare = (a: number, b: number): number =>
    compareEmails(this.profiles.email(a), this.profiles.email(b)) || a - b;

  /** First position in the order that is not before (email, index). */
  #firstAt(order: Uint32Array, email: string | null, index: number): number {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = order[middle]!;
      const before = compareEmails(this.profiles.email(other), email) || other - index;
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
