import type { Clock } from '../../time/clock.js';
import type { ListStore } from '../../store/lists.js';
import type { ListSuppression, ProfileStore, Suppression } from '../../store/profiles.js';
import type { Identities, Identifiers } from './identity.js';
import {
  checkSeed,
  SEED_CONSENTS,
  SEED_DETAILS,
  seedDate,
  seedDates,
  type SeedDates,
  type SeedProfile,
} from './seed-profile.js';

export type { SeedProfile } from './seed-profile.js';

/** Puts profiles into the account without any of Klaviyo's delays or checks. */
export class Seeding {
  constructor(
    private readonly profiles: ProfileStore,
    private readonly lists: ListStore,
    private readonly identities: Identities,
    private readonly clock: Clock,
  ) {}

  /**
   * Returns the profile's number.
   *
   * @throws RangeError naming what is wrong with the profile; nothing of it is stored then
   */
  add(seed: SeedProfile): number {
    checkSeed(seed);
    for (const { id } of listsOf(seed)) this.#list(id);
    for (const { list_id } of listSuppressionsOf(seed)) this.#list(list_id);
    this.#checkSeparate(seed);
    const now = this.clock.wall();
    const dates = seedDates(seed, now);
    const index = this.#profile(seed, dates, now);
    this.#consents(index, seed, dates);
    this.#suppressions(index, seed, dates.email_consent_timestamp);
    this.#details(index, seed);
    for (const { token, platform, vendor } of seed.push_tokens ?? []) {
      const state = { enablement: 'AUTHORIZED', background: 'AVAILABLE', metadata: null };
      const stamps = { created: now, recorded: now };
      this.profiles.pushTokens.set(index, { token, platform, vendor, ...state, ...stamps });
    }
    for (const { id, joined_group_at } of listsOf(seed)) {
      this.#list(id).join(
        index,
        seedDate(joined_group_at, dates.consent_timestamp, 'joined_group_at'),
      );
    }
    return index;
  }

  #profile(seed: SeedProfile, { created, updated }: SeedDates, now: number): number {
    const { email: written, phone_number: phone = null, anonymous_id: anonymousId = null } = seed;
    const email = written?.toLowerCase() ?? null;
    const identifiers: Identifiers = { email, phone, anonymousId, written };
    const isKnown =
      this.identities.find(identifiers, 'oldest') !== undefined || this.#isTaken(phone);
    if (isKnown && seed.separate_profile !== true) {
      return this.identities.resolve(identifiers, now, 'oldest');
    }
    const index = this.profiles.create(email, phone, created, updated);
    if (written !== undefined) this.profiles.writeEmail(index, written);
    if (anonymousId !== null) this.profiles.anonymousIds.set(index, anonymousId);
    return index;
  }

  /** An e-mail address and a number can be shared; ids from other systems cannot. */
  #checkSeparate({ separate_profile, anonymous_id, external_id }: SeedProfile): void {
    if (separate_profile !== true) return;
    const owners = {
      anonymous_id: anonymous_id && this.profiles.withAnonymousId(anonymous_id),
      external_id: external_id && this.profiles.withExternalId(external_id),
    };
    for (const [field, owner] of Object.entries(owners)) {
      if (typeof owner !== 'number') continue;
      const rule = 'only email and phone_number can be shared';
      throw new RangeError(`separate_profile: another profile has this ${field}; ${rule}`);
    }
  }

  #isTaken(phone: string | null): boolean {
    return phone !== null && this.profiles.withPhone(phone) !== undefined;
  }

  #consents(index: number, seed: SeedProfile, dates: SeedDates): void {
    for (const [field, key, dateField] of SEED_CONSENTS) {
      const consent = seed[field];
      if (consent === undefined || consent === 'NEVER_SUBSCRIBED') continue;
      const timestamp = dates[dateField];
      this.profiles.channel(key).set(index, {
        consent,
        timestamp,
        lastUpdated: timestamp,
        method: seed.method ?? 'API',
        methodDetail: seed.method_detail ?? null,
        customMethodDetail: seed.custom_method_detail ?? null,
        doubleOptIn: seed.double_optin ?? false,
      });
    }
  }

  #suppressions(index: number, seed: SeedProfile, date: number): void {
    for (const entry of suppressionsOf(seed, date)) this.profiles.addSuppression(index, entry);
    for (const { list_id: listId, reason = 'UNSUBSCRIBE', timestamp } of listSuppressionsOf(seed)) {
      const entry: ListSuppression = {
        listId,
        reason,
        timestamp: seedDate(timestamp, date, 'list_suppressions.timestamp'),
      };
      this.profiles.setListSuppression(index, entry);
    }
  }

  #details(index: number, seed: SeedProfile): void {
    const given = SEED_DETAILS.filter((field) => seed[field] !== undefined);
    if (given.length === 0) return;
    const { details } = this.profiles;
    const before = details.get(index) ?? {};
    const after = Object.fromEntries(given.map((field) => [field, seed[field]]));
    if (seed.properties !== undefined) {
      after['properties'] = { ...(before['properties'] ?? {}), ...seed.properties };
    }
    details.set(index, { ...before, ...after });
  }

  #list(id: string) {
    const list = this.lists.get(id);
    if (list === undefined) throw new RangeError(`lists: no list "${id}"; create it first`);
    return list;
  }
}

const listsOf = ({ lists = [] }: SeedProfile): { id: string; joined_group_at?: string }[] =>
  lists.map((entry) => (typeof entry === 'string' ? { id: entry } : entry));

const listSuppressionsOf = ({
  list_suppressions: given = [],
}: SeedProfile): { list_id: string; reason?: string; timestamp?: string }[] =>
  given.map((entry) => (typeof entry === 'string' ? { list_id: entry } : entry));

function suppressionsOf(seed: SeedProfile, date: number): Suppression[] {
  const given = (seed.suppressions ?? []).map((entry): Suppression => {
    const { reason, timestamp } = typeof entry === 'string' ? { reason: entry } : entry;
    return { reason, timestamp: seedDate(timestamp, date, 'suppressions.timestamp') };
  });
  const optedOut = seed.email_consent === 'UNSUBSCRIBED';
  return optedOut && !given.some(({ reason }) => reason === 'UNSUBSCRIBE')
    ? [...given, { reason: 'UNSUBSCRIBE', timestamp: date }]
    : given;
}
