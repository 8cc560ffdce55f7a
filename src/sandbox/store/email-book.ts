/** As many addresses as one profile has at most (help article 48274807144475). */
export const MAX_EMAILS = 5;

/**
 * E-mail addresses: one primary for each profile that has any, and for a few profiles secondary
 * ones, which find them as well. No address has two profiles.
 */
export class EmailBook {
  readonly #primary: (string | null)[] = [];
  readonly #secondary = new Map<number, readonly string[]>();
  readonly #owners = new Map<string, number>();

  /** Profiles ever made. */
  get end(): number {
    return this.#primary.length;
  }

  /** Adds the next profile and returns its number. */
  push(email: string | null): number {
    const index = this.#primary.push(email) - 1;
    if (email !== null) this.#owners.set(email, index);
    return index;
  }

  owner(email: string): number | undefined {
    return this.#owners.get(email);
  }

  primary(index: number): string | null {
    return this.#primary[index] ?? null;
  }

  secondary(index: number): readonly string[] {
    return this.#secondary.get(index) ?? [];
  }

  /** The address that was primary before is forgotten. */
  setPrimary(index: number, email: string | null): void {
    const before = this.primary(index);
    if (before !== null) this.#owners.delete(before);
    this.#primary[index] = email;
    if (email === null) return;
    this.#keep(index, (other) => other !== email);
    this.#owners.set(email, index);
  }

  addSecondary(index: number, email: string): void {
    this.#secondary.set(index, [...this.secondary(index), email]);
    this.#owners.set(email, index);
  }

  removeSecondary(index: number, email: string): void {
    this.#keep(index, (other) => other !== email);
  }

  /** Forgets every address of a profile that is gone. */
  clear(index: number): void {
    this.setPrimary(index, null);
    this.#keep(index, () => false);
  }

  #keep(index: number, isKept: (email: string) => boolean): void {
    const present = this.#secondary.get(index);
    if (present === undefined) return;
    for (const email of present) if (!isKept(email)) this.#owners.delete(email);
    const left = present.filter(isKept);
    if (left.length > 0) this.#secondary.set(index, left);
    else this.#secondary.delete(index);
  }
}
