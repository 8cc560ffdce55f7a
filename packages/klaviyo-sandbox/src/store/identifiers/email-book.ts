import { Owners } from './owners.js';

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@.]+$/;
export const isEmail = (text: string): boolean => EMAIL.test(text);

/** The most addresses of one profile (help article 48274807144475). */
export const MAX_EMAILS = 5;

/**
 * E-mail addresses, in lower case: one primary for each profile that has any, and secondary ones
 * for a few profiles. Both find their profile.
 */
export class EmailBook {
  readonly #primary: (string | null)[] = [];
  readonly #secondary = new Map<number, readonly string[]>();
  readonly #owners = new Owners();
  /** By profile: its addresses that were not written in lower case, as they were written. */
  readonly #written = new Map<number, readonly string[]>();

  /** Number of profiles ever created. */
  get end(): number {
    return this.#primary.length;
  }

  /** Adds the next profile and returns its number. */
  push(email: string | null): number {
    const index = this.#primary.push(email) - 1;
    if (email !== null) this.#owners.add(email, index);
    return index;
  }

  /** The oldest if there are several. */
  owner(email: string): number | undefined {
    return this.#owners.oldest(email);
  }

  /** In order of creation. */
  owners(email: string): readonly number[] {
    return this.#owners.all(email);
  }

  primary(index: number): string | null {
    return this.#primary[index] ?? null;
  }

  secondary(index: number): readonly string[] {
    return this.#secondary.get(index) ?? [];
  }

  /** The profile's address as it was written. */
  written(index: number, email: string): string {
    if (this.#written.size === 0) return email;
    const found = this.#written.get(index)?.find((text) => text.toLowerCase() === email);
    return found ?? email;
  }

  /** Records how an address of the profile was written. */
  write(index: number, text: string): void {
    if (text === text.toLowerCase()) return;
    this.#written.set(index, [...(this.#written.get(index) ?? []), text]);
  }

  /** The previous primary address is removed; a secondary one stays as it was written. */
  setPrimary(index: number, email: string | null): void {
    const before = this.primary(index);
    if (before !== null) this.#forget(index, before);
    this.#primary[index] = email;
    if (email === null) return;
    const written = this.written(index, email);
    this.#keep(index, (other) => other !== email);
    this.#owners.add(email, index);
    this.write(index, written);
  }

  addSecondary(index: number, email: string): void {
    this.#secondary.set(index, [...this.secondary(index), email]);
    this.#owners.add(email, index);
  }

  removeSecondary(index: number, email: string): void {
    this.#keep(index, (other) => other !== email);
  }

  /** Removes every address of a deleted profile. */
  clear(index: number): void {
    this.setPrimary(index, null);
    this.#keep(index, () => false);
  }

  #keep(index: number, isKept: (email: string) => boolean): void {
    const present = this.#secondary.get(index);
    if (present === undefined) return;
    for (const email of present) if (!isKept(email)) this.#forget(index, email);
    const left = present.filter(isKept);
    if (left.length > 0) this.#secondary.set(index, left);
    else this.#secondary.delete(index);
  }

  #forget(index: number, email: string): void {
    this.#owners.remove(email, index);
    const written = this.#written.get(index);
    if (written === undefined) return;
    const left = written.filter((text) => text.toLowerCase() !== email);
    if (left.length > 0) this.#written.set(index, left);
    else this.#written.delete(index);
  }
}
