import type { Switches } from '../../settings/options.js';
import type { ConsentKey } from '../../store/channel.js';
import type { Base } from '../base.js';
import { PHONE_KEYS } from '../consent/consent.js';
import { mergeProfiles } from './merging.js';

/** Which of several profiles with one identifier. */
type Which = Switches['sameIdentifier'];

export interface Identifiers {
  /** Number of a profile that is named by its id. */
  profile?: number;
  /** In lower case. */
  email: string | null;
  /** The address as it was written. @default email */
  written?: string | undefined;
  phone: string | null;
  externalId?: string | null;
  /** `_kx`, the identifier of Klaviyo's web tracking. */
  kx?: string | null;
  /** For somebody who is known only from an app. */
  anonymousId?: string | null;
}

/** Another profile with the e-mail address or the number of the profile in a row. */
export interface Twin {
  index: number;
  hasEmail: boolean;
  hasPhone: boolean;
}

/** Whether a row's consent on the channel also applies to the twin. */
export function isReached({ hasEmail, hasPhone }: Twin, key: ConsentKey): boolean {
  if (key.startsWith('email.')) return hasEmail;
  return hasPhone || !(PHONE_KEYS as readonly ConsentKey[]).includes(key);
}

const NO_TWINS: readonly Twin[] = [];

/** Finds, creates and merges the profile of a row. */
export class Identities {
  /** Numbers of profiles that were merged into another one. */
  readonly #mergedInto = new Map<number, number>();

  constructor(private readonly base: Base) {}

  /**
   * An address takes precedence over a number, and a number over ids from other systems.
   *
   * @param which of several profiles with the same address or number; for `all` it is the oldest
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

  /** The profile with these identifiers, created or completed if needed. */
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

  /** If there are several, the one that rows with the address change. */
  withEmail(email: string, which = this.#which): number | undefined {
    const { profiles } = this.base;
    return which === 'newest' ? profiles.allWithEmail(email).at(-1) : profiles.withEmail(email);
  }

  /** If there are several, the one that rows with the number change. */
  withPhone(phone: string, which = this.#which): number | undefined {
    const { profiles } = this.base;
    return which === 'newest' ? profiles.allWithPhone(phone).at(-1) : profiles.withPhone(phone);
  }

  /**
   * The other profiles that a row changes: those that share one of the identifiers with its
   * profile, if the switch says `all`. A row that names its profile by id changes only that one.
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

  /** The row says that the number belongs to this person: it replaces an older one. */
  #givePhone(index: number, phone: string, which: Which): void {
    const owners = this.base.profiles.allWithPhone(phone);
    if (owners.includes(index)) return;
    if (owners.length === 0) return this.base.book.changePhone(index, phone);
    if (this.base.settings.switches.twoProfiles !== 'merge') return;
    const older = which === 'newest' ? owners.slice(-1) : owners.slice(0, 1);
    for (const owner of which === 'all' ? owners : older) this.merge(owner, index, 'source');
  }
}
