import pLimit from 'p-limit';
import { BATCH_LIMITS } from '../contracts/limits.js';
import type { KlaviyoClient, ProfileConsent } from '../klaviyo/index.js';

/** Profiles by identifier. Klaviyo may hold an e-mail in capitals; look-ups here are lower-case. */
export class ProfileIndex {
  readonly #byEmail = new Map<string, ProfileConsent>();
  readonly #byPhone = new Map<string, ProfileConsent>();

  add(profile: ProfileConsent): void {
    if (profile.email !== null) this.#byEmail.set(profile.email.toLowerCase(), profile);
    if (profile.phoneNumber !== null) this.#byPhone.set(profile.phoneNumber, profile);
  }

  byEmail(email: string | null): ProfileConsent | null {
    return email === null ? null : (this.#byEmail.get(email) ?? null);
  }

  byPhone(phoneNumber: string | null): ProfileConsent | null {
    return phoneNumber === null ? null : (this.#byPhone.get(phoneNumber) ?? null);
  }
}

/** Look-ups of one index that are under way at once; the limiter decides how fast they go. */
const CONCURRENT_LOOK_UPS = 8;

/**
 * Reads the profiles of these people by `any(email, ...)` and `any(phone_number, ...)`.
 *
 * @throws the client's errors; LimiterBusyError when the account's reads are used up for now
 */
export async function lookUpPeople(
  klaviyo: KlaviyoClient,
  people: { readonly emails: Iterable<string>; readonly phoneNumbers: Iterable<string> },
  signal?: AbortSignal,
): Promise<ProfileIndex> {
  return lookUp(people, (query) => klaviyo.lookUpProfiles(query, signal ? { signal } : {}));
}

type Query = { by: 'email' | 'phone_number'; values: string[] };

async function lookUp(
  people: { readonly emails: Iterable<string>; readonly phoneNumbers: Iterable<string> },
  read: (query: Query) => Promise<readonly ProfileConsent[]>,
): Promise<ProfileIndex> {
  const index = new ProfileIndex();
  const limit = pLimit(CONCURRENT_LOOK_UPS);
  const queries: Query[] = [
    ...chunks([...new Set(people.emails)]).map((values) => ({ by: 'email' as const, values })),
    ...chunks([...new Set(people.phoneNumbers)]).map((values) => ({
      by: 'phone_number' as const,
      values,
    })),
  ];
  await Promise.all(
    queries.map((query) =>
      limit(async () => {
        for (const profile of await read(query)) index.add(profile);
      }),
    ),
  );
  return index;
}

export function chunks<T>(values: readonly T[], size: number = BATCH_LIMITS.lookUp): T[][] {
  const parts: T[][] = [];
  for (let first = 0; first < values.length; first += size) {
    parts.push(values.slice(first, first + size));
  }
  return parts;
}

/** Reads which of these people are on the list. */
export async function lookUpMembers(
  klaviyo: KlaviyoClient,
  listId: string,
  people: { readonly emails: Iterable<string>; readonly phoneNumbers: Iterable<string> },
  signal?: AbortSignal,
): Promise<ProfileIndex> {
  return lookUp(people, (query) =>
    klaviyo.lookUpMembers({ listId, ...query }, signal ? { signal } : {}),
  );
}
