import type { ProfileDetails } from '../../store/details.js';
import type { Core } from '../core.js';
import { withDetails, withPatchedProperties, type PropertyPatch } from './details-patch.js';

/** What one request changes in one profile. */
export interface ProfileChange {
  /** In lower case. Null clears; absent changes nothing. */
  email?: string | null;
  /** The same. */
  phone?: string | null;
  kx?: string;
  /** As sent, including `external_id`. */
  details: ProfileDetails;
  properties: PropertyPatch;
  /** Secondary addresses, in lower case. */
  addEmails: readonly string[];
  removeEmails: readonly string[];
  /** The given addresses as they were written. */
  written: readonly string[];
}

/** Writes profiles that a request names one by one. Does not write consent. */
export class ProfileChanges {
  constructor(private readonly core: Core) {}

  /**
   * Profiles that have one of the identifiers, each once: by e-mail, phone, external id, `_kx`.
   *
   * @param index if it is one of several that have an identifier, the others do not own it
   */
  owners({ email, phone, kx, details, addEmails }: ProfileChange, index?: number): number[] {
    const { profiles, identities } = this.core;
    const externalId = details['external_id'];
    const has = (owners: readonly number[]) => index !== undefined && owners.includes(index);
    const byEmail = (text: string) =>
      has(profiles.allWithEmail(text)) ? index : identities.withEmail(text);
    const byPhone = (text: string) =>
      has(profiles.allWithPhone(text)) ? index : identities.withPhone(text);
    const found = [
      typeof email === 'string' ? byEmail(email) : undefined,
      typeof phone === 'string' ? byPhone(phone) : undefined,
      typeof externalId === 'string' ? profiles.withExternalId(externalId) : undefined,
      kx === undefined ? undefined : profiles.withKx(kx),
      ...addEmails.map(byEmail),
    ];
    return [...new Set(found)].filter((owner) => owner !== undefined);
  }

  /** Number of the new profile. Its identifiers are free. */
  create(change: ProfileChange): number {
    const now = this.core.clock.wall();
    const { email = null, phone = null } = change;
    const index = this.core.profiles.create(email, phone, now);
    if (email !== null) this.#writeAs(index, email, change);
    this.#write(index, change);
    return index;
  }

  /** Changes `updated` if anything is different now. Its identifiers are its own, or free. */
  update(index: number, change: ProfileChange): void {
    const changed = [
      this.#writeEmail(index, change),
      this.#writePhone(index, change.phone),
      this.#write(index, change),
    ];
    if (changed.includes(true)) this.core.profiles.touch(index, this.core.clock.wall());
  }

  /** A secondary address that becomes the primary one swaps places with it. */
  #writeEmail(index: number, change: ProfileChange): boolean {
    const { profiles } = this.core;
    const { email } = change;
    const before = profiles.email(index);
    if (email === undefined || email === before) return false;
    const secondary = profiles.secondaryEmails(index);
    const isSecondary = email !== null && secondary.includes(email);
    const written = before === null ? null : profiles.writtenEmail(index, before);
    profiles.setEmail(index, email ?? secondary[0] ?? null);
    if (before !== null && written !== null && isSecondary) {
      profiles.addSecondaryEmail(index, before);
      profiles.writeEmail(index, written);
    }
    if (email !== null && !isSecondary) this.#writeAs(index, email, change);
    return true;
  }

  /** Records how the request wrote an address that it gave to the profile. */
  #writeAs(index: number, email: string, { written }: Pick<ProfileChange, 'written'>): void {
    const text = written.find((one) => one.toLowerCase() === email);
    if (text !== undefined) this.core.profiles.writeEmail(index, text);
  }

  #writePhone(index: number, phone: string | null | undefined): boolean {
    if (phone === undefined || phone === this.core.profiles.phone(index)) return false;
    this.core.book.changePhone(index, phone);
    return true;
  }

  #write(index: number, change: ProfileChange): boolean {
    const { kx, details, properties, addEmails, removeEmails } = change;
    const { profiles } = this.core;
    const before = profiles.details.get(index) ?? {};
    const after = withPatchedProperties(withDetails(before, details), properties);
    const changed = JSON.stringify(before) !== JSON.stringify(after);
    if (changed) profiles.details.set(index, after);
    if (kx !== undefined) profiles.exchangeIds.set(index, kx);
    const added = addEmails.filter((email) => profiles.withEmail(email) === undefined);
    for (const email of added) {
      this.#addEmail(index, email);
      this.#writeAs(index, email, change);
    }
    const own = profiles.secondaryEmails(index);
    const removed = removeEmails.filter((email) => own.includes(email));
    for (const email of removed) profiles.removeSecondaryEmail(index, email);
    return changed || added.length > 0 || removed.length > 0;
  }

  #addEmail(index: number, email: string): void {
    const { profiles } = this.core;
    if (profiles.email(index) === null) profiles.setEmail(index, email);
    else profiles.addSecondaryEmail(index, email);
  }
}
