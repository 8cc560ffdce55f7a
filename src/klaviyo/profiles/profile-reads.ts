import { CALL_LIMITS } from '../../contracts/limits.js';
import { KlaviyoRequestInvalidError } from '../errors.js';
import { chunkLookUps, type LookUpField } from '../reads/filters.js';
import { cursorOf, type Pages } from '../reads/paging.js';
import type { Call } from '../transport/exchange.js';
import type { CallOptions } from '../transport/transport.js';
import { lookUpCall } from './profile-calls.js';
import type { ProfileConsent, ProfilePage } from './profile-consent.js';
import { profileSchema } from './profile-schema.js';

/** Reads profiles with their consent: one page, or all with one of some identifiers. */
export class ProfileReads {
  readonly #pages: Pages;

  constructor(pages: Pages) {
    this.#pages = pages;
  }

  async page(call: Call, options?: CallOptions): Promise<ProfilePage> {
    const page = await this.#pages.one(profileSchema, call, options);
    return { profiles: page.items, next: page.next && cursorOf(call, page.next) };
  }

  /** @param listId reads only members of this list */
  async lookUp(
    { by, values }: { readonly by: LookUpField; readonly values: readonly string[] },
    listId: string | null,
    options?: CallOptions,
  ): Promise<ProfileConsent[]> {
    if (values.length > CALL_LIMITS.lookUp) {
      throw new KlaviyoRequestInvalidError(
        `it asks for ${values.length} values, but takes at most ${CALL_LIMITS.lookUp}; use chunkLookUps.`,
        listId === null ? 'get_profiles' : 'get_profiles_for_list',
      );
    }
    // A profile that changes while pages are read can be on two of them; the last reading counts.
    // With another address it may be another profile, even if the id is the same.
    const profiles = new Map<string, ProfileConsent>();
    for (const chunk of chunkLookUps(by, values)) {
      const call = lookUpCall(by, chunk, listId);
      for (const profile of await this.#pages.all(profileSchema, call, options)) {
        const { id, email, phoneNumber } = profile;
        profiles.set(JSON.stringify([id, email, phoneNumber]), profile);
      }
    }
    return [...profiles.values()];
  }
}
