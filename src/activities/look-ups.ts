import { ProfileIndex } from '../consent/profile-index.js';
import { foldEmail } from '../contracts/addresses.js';
import { CALL_LIMITS } from '../contracts/limits.js';
import {
  KlaviyoRateLimitedError,
  KlaviyoUnavailableError,
  LimiterBusyError,
  UNKNOWN_CONSENT,
  type KlaviyoClient,
  type ProfileConsent,
} from '../klaviyo/index.js';
import { atOnce } from './at-once.js';

/** Why something could not be read: no call is free at the moment, or Klaviyo does not answer. */
type Shortage = LimiterBusyError | KlaviyoRateLimitedError | KlaviyoUnavailableError;

/** What was read about people: everything that was asked for, or as much as was possible. */
export interface LookedUp {
  readonly index: ProfileIndex;
  /** Every profile that was read. */
  readonly profiles: readonly ProfileConsent[];
  /** Whether everything that was asked for about a person was read. */
  covers(person: { readonly email: string | null; readonly phoneNumber: string | null }): boolean;
  /** Why something could not be read; null if everything was. */
  readonly shortage: Shortage | null;
  /**
   * Call this after storing what was read: then each attempt makes progress, however few calls it
   * gets.
   *
   * @throws LimiterBusyError, KlaviyoRateLimitedError, KlaviyoUnavailableError
   */
  throwIfShort(): void;
}

/** Concurrent look-ups of one index; the limiter decides how fast they go. */
const CONCURRENT_LOOK_UPS = 8;

/**
 * Reads the profiles of these people by `any(email, ...)` and `any(phone_number, ...)`.
 *
 * @throws the client's errors, except those that a later look-up may get past: see `LookedUp`
 */
export async function lookUpPeople(
  klaviyo: KlaviyoClient,
  people: Asked,
  signal = neverAborted(),
): Promise<LookedUp> {
  return lookUp(people, signal, (query, either) =>
    klaviyo.lookUpProfiles(query, { signal: either }),
  );
}

/** Reads which of these people are on the list. */
export async function lookUpMembers(
  klaviyo: KlaviyoClient,
  listId: string,
  people: Asked,
  signal = neverAborted(),
): Promise<LookedUp> {
  return lookUp(people, signal, (query, either) =>
    klaviyo.lookUpMembers({ listId, ...query }, { signal: either }),
  );
}

const neverAborted = (): AbortSignal => new AbortController().signal;

interface Asked {
  /** In every spelling to look up. */
  readonly emails: Iterable<string>;
  readonly phoneNumbers: Iterable<string>;
}

interface Query {
  readonly by: 'email' | 'phone_number';
  readonly values: string[];
}

async function lookUp(
  people: Asked,
  signal: AbortSignal,
  read: (query: Query, signal: AbortSignal) => Promise<readonly ProfileConsent[]>,
): Promise<LookedUp> {
  const index = new ProfileIndex();
  const profiles: ProfileConsent[] = [];
  const unread = new Set<string | null>();
  const shortages: Shortage[] = [];
  await atOnce(queriesOf(people), CONCURRENT_LOOK_UPS, signal, async (query, either) => {
    const { profiles: found } = await readAssigned(query, async (part) => {
      try {
        // Once one query is told to wait, the others do not ask either. One failed answer may be the
        // only one.
        const [shortage] = shortages.filter((each) => !(each instanceof KlaviyoUnavailableError));
        if (shortage !== undefined) throw shortage;
        return await read(part, either);
      } catch (error) {
        if (!isShortage(error)) throw error;
        shortages.push(error);
        for (const value of part.values) unread.add(foldEmail(value));
        return null;
      }
    });
    for (const profile of found) {
      index.add(profile);
      profiles.push(profile);
    }
  });
  return {
    index,
    profiles,
    covers: ({ email, phoneNumber }) => !unread.has(email) && !unread.has(phoneNumber),
    shortage: shortages[0] ?? null,
    throwIfShort() {
      const [shortage] = shortages;
      if (shortage !== undefined) throw shortage;
    },
  };
}

interface Assigned {
  readonly profiles: readonly ProfileConsent[];
  /** Number of profiles that match none of the values. */
  readonly strays: number;
  /** Whether some of the values could not be read for now. */
  readonly short: boolean;
}

/**
 * What Klaviyo has for these values. A profile that matches none of them, such as one without an
 * address, may belong to any of them, and may have opted out. So the values are asked for in halves
 * until one is left that must own the profile, and its consent is unknown. If the profile does not
 * come back, the consent of all of them is unknown.
 *
 * @param read returns null if the values could not be read for now
 */
async function readAssigned(
  query: Query,
  read: (query: Query) => Promise<readonly ProfileConsent[] | null>,
): Promise<Assigned> {
  const profiles = await read(query);
  if (profiles === null) return { profiles: [], strays: 0, short: true };
  const { by, values } = query;
  const asked = new Set(values.map((value) => keyOf(by, value)));
  const isAsked = ({ email, phoneNumber }: ProfileConsent): boolean => {
    const value = by === 'email' ? email : phoneNumber;
    return value !== null && asked.has(keyOf(by, value));
  };
  const strays = profiles.filter((profile) => !isAsked(profile));
  if (strays.length === 0) return { profiles, strays: 0, short: false };
  const theirs = profiles.filter(isAsked);
  const forEveryValue = (stray: ProfileConsent) =>
    [...asked].map((value) => withUnknownConsent(stray, by, value));
  if (asked.size === 1) {
    const all = [...theirs, ...strays.flatMap(forEveryValue)];
    return { profiles: all, strays: strays.length, short: false };
  }
  const half = Math.ceil(values.length / 2);
  const halves = await Promise.all(
    [values.slice(0, half), values.slice(half)].map((some) =>
      readAssigned({ by, values: some }, read),
    ),
  );
  const again = halves.reduce((sum, each) => sum + each.strays, 0);
  const short = halves.some((each) => each.short);
  // Values that are not read yet may own it.
  const gone = again < strays.length && !short ? strays : [];
  const found = halves.flatMap((each) => each.profiles);
  return {
    profiles: [...theirs, ...found, ...gone.flatMap(forEveryValue)],
    strays: Math.max(again, strays.length),
    short,
  };
}

/** The person exists, but it is not known whether they opted out. */
function withUnknownConsent(
  profile: ProfileConsent,
  by: Query['by'],
  value: string,
): ProfileConsent {
  const named = by === 'email' ? { email: value } : { phoneNumber: value };
  return { ...profile, ...UNKNOWN_CONSENT, ...named };
}

function keyOf(by: Query['by'], value: string): string {
  return by === 'email' ? foldEmail(value) : value;
}

/** E-mails and phone numbers alternate, so that both are read for the same people. */
function queriesOf({ emails, phoneNumbers }: Asked): Query[] {
  const byEmail = chunks([...new Set(emails)]);
  const byPhone = chunks([...new Set(phoneNumbers)]);
  return Array.from({ length: Math.max(byEmail.length, byPhone.length) }, (_, n) => [
    ...byEmail.slice(n, n + 1).map((values) => ({ by: 'email' as const, values })),
    ...byPhone.slice(n, n + 1).map((values) => ({ by: 'phone_number' as const, values })),
  ]).flat();
}

export function isShortage(error: unknown): error is Shortage {
  return (
    error instanceof LimiterBusyError ||
    error instanceof KlaviyoRateLimitedError ||
    error instanceof KlaviyoUnavailableError
  );
}

export function chunks<T>(values: readonly T[], size: number = CALL_LIMITS.lookUp): T[][] {
  const parts: T[][] = [];
  for (let first = 0; first < values.length; first += size) {
    parts.push(values.slice(first, first + size));
  }
  return parts;
}
