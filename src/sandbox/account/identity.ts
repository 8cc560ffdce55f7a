import type { Core } from './core.js';
import { mergeProfiles } from './merging.js';

export interface Identifiers {
  /** Number of a profile that was named by its id. */
  profile?: number;
  /** In lower case. */
  email: string | null;
  phone: string | null;
  externalId?: string | null;
  /** `_kx`, by which Klaviyo's web tracking knows somebody. */
  kx?: string | null;
  /** Of somebody who is known by an app alone. */
  anonymousId?: string | null;
}

/** Finds, makes and merges the profile that a row is about. */
export class Identities {
  /** Numbers of profiles that are part of another one now. */
  readonly #mergedInto = new Map<number, number>();

  constructor(private readonly core: Core) {}

  /** An address counts more than a number, and a number more than what others call the person. */
  find(identifiers: Identifiers): number | undefined {
    const { profile, email, phone, externalId = null, kx = null } = identifiers;
    const { anonymousId = null } = identifiers;
    const { profiles } = this.core;
    const named = profile === undefined ? undefined : this.#present(profile);
    if (named !== undefined && profiles.isAlive(named)) return named;
    const byEmail = email === null ? undefined : profiles.withEmail(email);
    if (byEmail !== undefined) return byEmail;
    const byPhone = phone === null ? undefined : profiles.withPhone(phone);
    const isFree = byPhone !== undefined && profiles.email(byPhone) === null;
    if (isFree || (byPhone !== undefined && email === null)) return byPhone;
    const byExternalId = externalId === null ? undefined : profiles.withExternalId(externalId);
    if (byExternalId !== undefined) return byExternalId;
    const byKx = kx === null ? undefined : profiles.withKx(kx);
    if (byKx !== undefined) return byKx;
    return anonymousId === null ? undefined : profiles.withAnonymousId(anonymousId);
  }

  /** The profile of these identifiers, made or completed where needed. */
  resolve(identifiers: Identifiers, now: number): number {
    const { email, phone, externalId = null, kx = null, anonymousId = null } = identifiers;
    const { profiles } = this.core;
    let index = this.find(identifiers);
    if (index === undefined) {
      index = profiles.create(email, this.#freePhone(phone), now);
    } else if (email !== null && profiles.email(index) === null) {
      if (profiles.withEmail(email) === undefined) profiles.setEmail(index, email);
    }
    if (phone !== null) this.#givePhone(index, phone);
    if (externalId !== null && profiles.withExternalId(externalId) === undefined) {
      profiles.details.set(index, { ...profiles.details.get(index), external_id: externalId });
    }
    if (kx !== null && profiles.withKx(kx) === undefined) profiles.exchangeIds.set(index, kx);
    if (anonymousId !== null && profiles.withAnonymousId(anonymousId) === undefined) {
      profiles.anonymousIds.set(index, anonymousId);
    }
    return index;
  }

  /** The first profile becomes part of the second. @see mergeProfiles */
  merge(from: number, into: number, phoneOf: 'source' | 'destination'): void {
    mergeProfiles(this.core, from, into, phoneOf);
    this.#mergedInto.set(from, into);
  }

  #present(profile: number): number {
    let index = profile;
    for (let next = this.#mergedInto.get(index); next !== undefined;) {
      index = next;
      next = this.#mergedInto.get(index);
    }
    return index;
  }

  #freePhone(phone: string | null): string | null {
    return phone !== null && this.core.profiles.withPhone(phone) === undefined ? phone : null;
  }

  /** The row says that the number is this person's: an older one gives way to it. */
  #givePhone(index: number, phone: string): void {
    const owner = this.core.profiles.withPhone(phone);
    if (owner === index) return;
    if (owner === undefined) this.core.book.changePhone(index, phone);
    else if (this.core.settings.switches.twoProfiles === 'merge')
      this.merge(owner, index, 'source');
  }
}
