import { foldEmail } from '../contracts/addresses.js';
import type { ProfileConsent } from '../klaviyo/index.js';
import type { Held } from './person.js';

/**
 * Profiles by identifier. Klaviyo may have an e-mail with capitals, while look-ups here are
 * lower-case, and may have an identifier more than once. A profile that was read twice, by its
 * e-mail and by its phone number, is included in both readings.
 */
export class ProfileIndex {
  readonly #byEmail = new Map<string, ProfileConsent[]>();
  readonly #byPhone = new Map<string, ProfileConsent[]>();

  add(profile: ProfileConsent): void {
    if (profile.email !== null) put(this.#byEmail, foldEmail(profile.email), profile);
    if (profile.phoneNumber !== null) put(this.#byPhone, profile.phoneNumber, profile);
  }

  /** What Klaviyo has for a row's identifiers. */
  heldFor(row: { readonly email: string | null; readonly phoneNumber: string | null }): Held {
    return {
      byEmail: (row.email === null ? undefined : this.#byEmail.get(row.email)) ?? [],
      byPhone: (row.phoneNumber === null ? undefined : this.#byPhone.get(row.phoneNumber)) ?? [],
    };
  }
}

function put(index: Map<string, ProfileConsent[]>, key: string, profile: ProfileConsent): void {
  const others = index.get(key);
  if (others === undefined) index.set(key, [profile]);
  else others.push(profile);
}
