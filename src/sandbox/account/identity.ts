import type { Switches } from '../options.js';
import type { ListStore } from '../store/lists.js';
import type { ProfileStore } from '../store/profiles.js';
import { PHONE_KEYS, type ConsentBook } from './consent.js';

export interface Identifiers {
  /** Number of a profile that was named by its id. */
  profile?: number;
  email: string | null;
  phone: string | null;
}

/** Finds, makes and merges the profile that a row is about. */
export class Identities {
  constructor(
    private readonly profiles: ProfileStore,
    private readonly lists: ListStore,
    private readonly book: ConsentBook,
    private readonly twoProfiles: Switches['twoProfiles'],
  ) {}

  find({ profile, email, phone }: Identifiers): number | undefined {
    if (profile !== undefined && this.profiles.isAlive(profile)) return profile;
    const byEmail = email === null ? undefined : this.profiles.withEmail(email);
    if (byEmail !== undefined) return byEmail;
    const byPhone = phone === null ? undefined : this.profiles.withPhone(phone);
    if (byPhone === undefined) return undefined;
    return email === null || this.profiles.email(byPhone) === null ? byPhone : undefined;
  }

  /** The profile of these identifiers, made or completed where needed. */
  resolve(identifiers: Identifiers, now: number): number {
    const { email, phone } = identifiers;
    const found = this.find(identifiers);
    if (found === undefined) {
      const index = this.profiles.create(email, this.#freePhone(phone), now);
      if (phone !== null) this.#givePhone(index, phone);
      return index;
    }
    if (email !== null && this.profiles.email(found) === null) this.profiles.setEmail(found, email);
    if (phone !== null) this.#givePhone(found, phone);
    return found;
  }

  #freePhone(phone: string | null): string | null {
    return phone !== null && this.profiles.withPhone(phone) === undefined ? phone : null;
  }

  #givePhone(index: number, phone: string): void {
    const owner = this.profiles.withPhone(phone);
    if (owner === index) return;
    if (owner === undefined) this.book.changePhone(index, phone);
    else if (this.twoProfiles === 'merge') this.#merge(owner, index);
  }

  /** The first profile becomes part of the second, which takes over number, texts and lists. */
  #merge(from: number, into: number): void {
    const phone = this.profiles.phone(from);
    const consents = PHONE_KEYS.map((key) => this.profiles.channel(key).get(from));
    const joined = this.lists.all().map((list) => list.joinedAt(from));
    for (const list of this.lists.all()) list.leave(from);
    this.profiles.remove(from);
    if (phone !== null) this.book.changePhone(into, phone);
    PHONE_KEYS.forEach((key, i) => {
      const consent = consents[i];
      if (consent) this.profiles.channel(key).set(into, consent);
    });
    this.lists.all().forEach((list, i) => {
      const since = joined[i];
      if (since !== undefined) list.join(into, since);
    });
  }
}
