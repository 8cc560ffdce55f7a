import type { Switches } from '../../settings/options.js';
import type { ConsentKey } from '../../store/channel.js';
import type { Base } from '../base.js';
import { PHONE_KEYS } from '../consent/consent.js';
import { mergeProfiles } from './merging.js';

/** Which of several profiles with one identifier. */
type Which = Switches['sameIdentifier'];

export interface Identifiers {
  /** Number of a profile that was named by its id. */
  profile?: number;
  /** In lower case. */
  email: string | null;
  /** The address as it was written. @default email */
  written?: string | undefined;
  phone: string | null;
  externalId?: string | null;
  /** `_kx`, by which Klaviyo's web tracking knows somebody. */
  kx?: string | null;
  /** Of somebody who is known by an app alone. */
  anonymousId?: string | null;
}

/** Another profile with the e-mail address or the number of the one that a row is about. */
export interface Twin {
  index: number;
  hasEmail: boolean;
  hasPhone: boolean;
}

/** Whether a row's consent on the channel is about the twin as well. */
export function isReached({ hasEmail, hasPhone }: Twin, key: ConsentKey): boolean {
  if (key.startsWith('email.')) return hasEmail;
  return hasPhone || !(PHONE_KEYS as readonly ConsentKey[]).includes(key);
}

const NO_TWINS: readonly Twin[] = [];

/** Finds, makes and merges the profile that a row is about. */
export class Identities {
  /** Numbers of profiles that are part of another one now. */
  readonly #mergedInto = new Map<number, number>();

  constructor(private readonly base: Base) {}

  /**
   * An address counts more than a number, and a number more than what others call the person.
   *
   * @param which of several profiles with one address or number; of all it is the oldest
   */
  find(identifiers: Identifiers, which = this.#which): number | undefined {
    const { profile, email, phone, externalId = null, kx = null } = identifiers;
    const { anonymousId = null } = identifiers;
    const { profiles } = this.base;
    const named = profile === undefined ? undefined : this.#present(profile);
    if (named !== undefined && profiles.isAlive(named)) return named;
    const byEmail = email === null ? undefined : this.withEmail(email, which);
    if (byEmail !== undefined) return byEmail;
    const byPhone = phone === null ? undefined : this.withPhone(phone, which);
    const isFree = byPhone !== undefined && profiles.email(byPhone) === null;
    if (isFree || (byPhone !== undefined && email === null)) return byPhone;
    const byExternalId = externalId === null ? undefined : profiles.withExternalId(externalId);
    if (byExternalId !== undefined) return byExternalId;
    const byKx = kx === null ? undefined : profiles.withKx(kx);
    if (byKx !== undefined) return byKx;
    return anonymousId === null ? undefined : profiles.withAnonymousId(anonymousId);
  }

  /** The profile of these identifiers, made or completed where needed. */
  resolve(identifiers: Identifiers, now: number, which = this.#which): number {
    const { email, phone, externalId = null, kx = null, anonymousId = null } = identifiers;
    const { profiles } = this.base;
    const { written = email } = identifiers;
    let index = this.find(identifiers, which);
    if (index === undefined) {
      index = profiles.create(email, this.#freePhone(phone), now);
      if (written !== null) profiles.writeEmail(index, written);
    } else if (email !== null && profiles.email(index) === null) {
      if (profiles.withEmail(email) === undefined) {
        profiles.setEmail(index, email);
        profiles.writeEmail(index, written!);
      }
    }
    if (phone !== null) this.#givePhone(index, phone, which);
    if (externalId !== null && profiles.withExternalId(externalId) === undefined) {
      profiles.details.set(index, { ...profiles.details.get(index), external_id: externalId });
    }
    if (kx !== null && profiles.withKx(kx) === undefined) profiles.exchangeIds.set(index, kx);
    if (anonymousId !== null && profiles.withAnonymousId(anonymousId) === undefined) {
      profiles.anonymousIds.set(index, anonymousId);
    }
    return index;
  }

  /** Of several the one that rows with the address are about. */
  withEmail(email: string, which = this.#which): number | undefined {
    const { profiles } = this.base;
    return which === 'newest' ? profiles.allWithEmail(email).at(-1) : profiles.withEmail(email);
  }

  /** Of several the one that rows with the number are about. */
  withPhone(phone: string, which = this.#which): number | undefined {
    const { profiles } = this.base;
    return which === 'newest' ? profiles.allWithPhone(phone).at(-1) : profiles.withPhone(phone);
  }

  /**
   * The other profiles that a row about the profile changes: those that share one of the
   * identifiers with it, where the switch says all. A row that names its profile by id is about that one.
   */
  twins(index: number, { profile, email, phone }: Identifiers): readonly Twin[] {
    if (this.#which !== 'all' || profile !== undefined) return NO_TWINS;
    const { profiles } = this.base;
    const [byEmail, byPhone] = [
      email === null ? [] : profiles.allWithEmail(email),
      phone === null ? [] : profiles.allWithPhone(phone),
    ].map((owners) => new Set(owners.includes(index) ? owners : []));
    return [...new Set([...byEmail!, ...byPhone!])]
      .filter((other) => other !== index)
      .map((other) => ({
        index: other,
        hasEmail: byEmail!.has(other),
        hasPhone: byPhone!.has(other),
      }));
  }

  /** The first profile becomes part of the second. @see mergeProfiles */
  merge(from: number, into: number, phoneOf: 'source' | 'destination'): void {
    mergeProfiles(this.base, from, into, phoneOf);
    this.#mergedInto.set(from, into);
  }

  get #which(): Which {
    return this.base.settings.switches.sameIdentifier;
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
    return phone !== null && this.base.profiles.withPhone(phone) === undefined ? phone : null;
  }

  /** The row says that the number is this person's: an older one gives way to it. */
  #givePhone(index: number, phone: string, which: Which): void {
    const owners = this.base.profiles.allWithPhone(phone);
    if (owners.includes(index)) return;
    if (owners.length === 0) return this.base.book.changePhone(index, phone);
    if (this.base.settings.switches.twoProfiles !== 'merge') return;
    const older = which === 'newest' ? owners.slice(-1) : owners.slice(0, 1);
    for (const owner of which === 'all' ? owners : older) this.merge(owner, index, 'source');
  }
}
