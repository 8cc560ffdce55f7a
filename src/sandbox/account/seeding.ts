import type { Clock } from '../clock.js';
import { instantOf } from '../dates.js';
import type { Consent, ConsentKey } from '../store/channel.js';
import type { ListStore } from '../store/lists.js';
import {
  SUPPRESSION_REASONS,
  type ProfileStore,
  type Suppression,
  type SuppressionReason,
} from '../store/profiles.js';
import type { Identities } from './identity.js';

type SeedConsent = Consent | 'NEVER_SUBSCRIBED';

/** A profile that is there before anything is asked. Dates are RFC 3339 with an offset. */
export interface SeedProfile {
  email?: string;
  phone_number?: string;
  /** @default 'NEVER_SUBSCRIBED'; `UNSUBSCRIBED` brings its suppression along. */
  email_consent?: SeedConsent;
  /** @default 'NEVER_SUBSCRIBED' */
  sms_consent?: SeedConsent;
  /** @default 'NEVER_SUBSCRIBED' */
  sms_transactional_consent?: SeedConsent;
  /** For every channel that has no date of its own. @default now */
  consent_timestamp?: string;
  email_consent_timestamp?: string;
  sms_consent_timestamp?: string;
  double_optin?: boolean;
  custom_method_detail?: string;
  /** Reasons, stamped with the e-mail consent date unless they bring one. */
  suppressions?: (SuppressionReason | { reason: SuppressionReason; timestamp?: string })[];
  /** List ids; those given alone were joined at `consent_timestamp`. */
  lists?: (string | { id: string; joined_group_at?: string })[];
  created?: string;
  updated?: string;
}

const FIELDS: ReadonlySet<string> = new Set<keyof SeedProfile>([
  'email',
  'phone_number',
  'email_consent',
  'sms_consent',
  'sms_transactional_consent',
  'consent_timestamp',
  'email_consent_timestamp',
  'sms_consent_timestamp',
  'double_optin',
  'custom_method_detail',
  'suppressions',
  'lists',
  'created',
  'updated',
]);

/** Puts profiles into the account without any of Klaviyo's delays or checks. */
export class Seeding {
  constructor(
    private readonly profiles: ProfileStore,
    private readonly lists: ListStore,
    private readonly identities: Identities,
    private readonly clock: Clock,
  ) {}

  /** @throws RangeError naming what is wrong with the profile */
  add(seed: SeedProfile): void {
    this.#check(seed);
    const now = this.clock.wall();
    const consented = dateOr(seed.consent_timestamp, now, 'consent_timestamp');
    const emailDate = dateOr(seed.email_consent_timestamp, consented, 'email_consent_timestamp');
    const smsDate = dateOr(seed.sms_consent_timestamp, consented, 'sms_consent_timestamp');
    const index = this.#profile(seed, now);
    this.#consent(index, 'email.marketing', seed, seed.email_consent, emailDate);
    this.#consent(index, 'sms.marketing', seed, seed.sms_consent, smsDate);
    this.#consent(index, 'sms.transactional', seed, seed.sms_transactional_consent, smsDate);
    const suppressions = suppressionsOf(seed, emailDate);
    if (suppressions.length > 0) this.profiles.suppressions.set(index, suppressions);
    for (const entry of seed.lists ?? []) {
      const { id, joined_group_at } = typeof entry === 'string' ? { id: entry } : entry;
      const joined = dateOr(joined_group_at, consented, 'joined_group_at');
      this.#list(id).join(index, joined);
    }
  }

  #profile(seed: SeedProfile, now: number): number {
    const email = seed.email?.toLowerCase() ?? null;
    const phone = seed.phone_number ?? null;
    if (this.identities.find({ email, phone }) !== undefined || this.#isTaken(phone)) {
      return this.identities.resolve({ email, phone }, now);
    }
    const created = dateOr(seed.created, now, 'created');
    return this.profiles.create(email, phone, created, dateOr(seed.updated, created, 'updated'));
  }

  #isTaken(phone: string | null): boolean {
    return phone !== null && this.profiles.withPhone(phone) !== undefined;
  }

  #consent(
    index: number,
    key: ConsentKey,
    seed: SeedProfile,
    consent: SeedConsent | undefined,
    timestamp: number,
  ): void {
    if (consent === undefined || consent === 'NEVER_SUBSCRIBED') return;
    this.profiles.channel(key).set(index, {
      consent,
      timestamp,
      lastUpdated: timestamp,
      method: 'API',
      methodDetail: null,
      customMethodDetail: seed.custom_method_detail ?? null,
      doubleOptIn: seed.double_optin ?? false,
    });
  }

  #list(id: string) {
    const list = this.lists.get(id);
    if (list === undefined) throw new RangeError(`lists: no list "${id}"; create it first`);
    return list;
  }

  #check(seed: SeedProfile): void {
    const unknown = Object.keys(seed).find((field) => !FIELDS.has(field));
    if (unknown !== undefined) {
      throw new RangeError(`unknown field "${unknown}"; known are ${[...FIELDS].join(', ')}`);
    }
    if (seed.email === undefined && seed.phone_number === undefined) {
      throw new RangeError('a profile needs an email or a phone_number');
    }
    for (const field of ['email_consent', 'sms_consent', 'sms_transactional_consent'] as const) {
      const consent = seed[field];
      if (consent !== undefined && !CONSENTS.has(consent)) {
        throw new RangeError(`${field} must be one of ${[...CONSENTS].join(', ')}; got ${consent}`);
      }
    }
    for (const entry of seed.lists ?? []) this.#list(typeof entry === 'string' ? entry : entry.id);
  }
}

const CONSENTS: ReadonlySet<string> = new Set<SeedConsent>([
  'SUBSCRIBED',
  'UNSUBSCRIBED',
  'NEVER_SUBSCRIBED',
]);

function suppressionsOf(seed: SeedProfile, emailDate: number): Suppression[] {
  const given = (seed.suppressions ?? []).map((entry) => {
    const { reason, timestamp } = typeof entry === 'string' ? { reason: entry } : entry;
    if (!SUPPRESSION_REASONS.includes(reason)) {
      throw new RangeError(
        `suppressions: reason must be one of ${SUPPRESSION_REASONS.join(', ')}; got ${reason}`,
      );
    }
    return { reason, timestamp: dateOr(timestamp, emailDate, 'suppressions.timestamp') };
  });
  const optedOut = seed.email_consent === 'UNSUBSCRIBED';
  return optedOut && !given.some(({ reason }) => reason === 'UNSUBSCRIBE')
    ? [...given, { reason: 'UNSUBSCRIBE', timestamp: emailDate }]
    : given;
}

function dateOr(text: string | undefined, otherwise: number, field: string): number {
  if (text === undefined) return otherwise;
  const ms = instantOf(text);
  if (ms === undefined) {
    throw new RangeError(`${field} must be an RFC 3339 date with an offset; got "${text}"`);
  }
  return ms;
}
