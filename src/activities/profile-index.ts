import pLimit from 'p-limit';
import { BATCH_LIMITS } from '../contracts/limits.js';
import {
  KlaviyoRateLimitedError,
  LimiterBusyError,
  type KlaviyoClient,
  type ProfileConsent,
} from '../klaviyo/index.js';

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

/** No call is free at the moment. */
type Shortage = LimiterBusyError | KlaviyoRateLimitedError;

/** What was read of people: all that was asked for, or as much as the limits allowed. */
export interface LookedUp {
  readonly index: ProfileIndex;
  /** Whether everything that was asked about a person was read. */
  covers(person: { readonly email: string | null; readonly phoneNumber: string | null }): boolean;
  /** Until a call is free for the rest; null where all was read. */
  readonly shortForMs: number | null;
  /**
   * To be called once what was read is kept: so each attempt gets on, however few calls it has.
   *
   * @throws LimiterBusyError, KlaviyoRateLimitedError where not all was read
   */
  throwIfShort(): void;
}

/** Look-ups of one index that are under way at once; the limiter decides how fast they go. */
const CONCURRENT_LOOK_UPS = 8;

/**
 * Reads the profiles of these people by `any(email, ...)` and `any(phone_number, ...)`.
 *
 * @throws the client's errors, but for those that say that no call is free: see `LookedUp`
 */
export async function lookUpPeople(
  klaviyo: KlaviyoClient,
  people: Asked,
  signal?: AbortSignal,
): Promise<LookedUp> {
  return lookUp(people, (query) => klaviyo.lookUpProfiles(query, signal ? { signal } : {}));
}

/** Reads which of these people are on the list. */
export async function lookUpMembers(
  klaviyo: KlaviyoClient,
  listId: string,
  people: Asked,
  signal?: AbortSignal,
): Promise<LookedUp> {
  return lookUp(people, (query) =>
    klaviyo.lookUpMembers({ listId, ...query }, signal ? { signal } : {}),
  );
}

interface Asked {
  readonly emails: Iterable<string>;
  readonly phoneNumbers: Iterable<string>;
}

interface Query {
  readonly by: 'email' | 'phone_number';
  readonly values: string[];
}

async function lookUp(
  people: Asked,
  read: (query: Query) => Promise<readonly ProfileConsent[]>,
): Promise<LookedUp> {
  const index = new ProfileIndex();
  const unread = new Set<string | null>();
  const shortages: Shortage[] = [];
  const limit = pLimit(CONCURRENT_LOOK_UPS);
  await Promise.all(
    queriesOf(people).map((query) =>
      limit(async () => {
        try {
          const [shortage] = shortages;
          if (shortage !== undefined) throw shortage;
          for (const profile of await read(query)) index.add(profile);
        } catch (error) {
          if (!isShortage(error)) throw error;
          shortages.push(error);
          for (const value of query.values) unread.add(value);
        }
      }),
    ),
  );
  return {
    index,
    covers: ({ email, phoneNumber }) => !unread.has(email) && !unread.has(phoneNumber),
    shortForMs: shortages[0]?.retryAfterMs ?? null,
    throwIfShort() {
      const [shortage] = shortages;
      if (shortage !== undefined) throw shortage;
    },
  };
}

/** E-mails and phone numbers in turn, so that the same people are read of both. */
function queriesOf({ emails, phoneNumbers }: Asked): Query[] {
  const byEmail = chunks([...new Set(emails)]);
  const byPhone = chunks([...new Set(phoneNumbers)]);
  return Array.from({ length: Math.max(byEmail.length, byPhone.length) }, (_, n) => [
    ...byEmail.slice(n, n + 1).map((values) => ({ by: 'email' as const, values })),
    ...byPhone.slice(n, n + 1).map((values) => ({ by: 'phone_number' as const, values })),
  ]).flat();
}

function isShortage(error: unknown): error is Shortage {
  return error instanceof LimiterBusyError || error instanceof KlaviyoRateLimitedError;
}

export function chunks<T>(values: readonly T[], size: number = BATCH_LIMITS.lookUp): T[][] {
  const parts: T[][] = [];
  for (let first = 0; first < values.length; first += size) {
    parts.push(values.slice(first, first + size));
  }
  return parts;
}
