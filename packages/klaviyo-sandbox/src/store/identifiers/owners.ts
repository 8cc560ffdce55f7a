const NOBODY: readonly number[] = [];

/**
 * Which profiles have an identifier. It is nearly always one; the other owners of the few shared
 * identifiers are stored separately.
 */
export class Owners {
  readonly #oldest = new Map<string, number>();
  /** For shared identifiers: all owners but the oldest, in order of creation. */
  readonly #younger = new Map<string, readonly number[]>();

  /** The profile that was created first. */
  oldest(identifier: string): number | undefined {
    return this.#oldest.get(identifier);
  }

  /** In order of creation. */
  all(identifier: string): readonly number[] {
    const oldest = this.#oldest.get(identifier);
    if (oldest === undefined) return NOBODY;
    const younger = this.#younger.size === 0 ? undefined : this.#younger.get(identifier);
    return younger === undefined ? [oldest] : [oldest, ...younger];
  }

  add(identifier: string, index: number): void {
    if (this.#oldest.has(identifier)) this.#set(identifier, [...this.all(identifier), index]);
    else this.#oldest.set(identifier, index);
  }

  remove(identifier: string, index: number): void {
    this.#set(
      identifier,
      this.all(identifier).filter((owner) => owner !== index),
    );
  }

  #set(identifier: string, owners: readonly number[]): void {
    const [oldest, ...younger] = [...new Set(owners)].sort((a, b) => a - b);
    if (oldest === undefined) this.#oldest.delete(identifier);
    else this.#oldest.set(identifier, oldest);
    if (younger.length === 0) this.#younger.delete(identifier);
    else this.#younger.set(identifier, younger);
  }
}
