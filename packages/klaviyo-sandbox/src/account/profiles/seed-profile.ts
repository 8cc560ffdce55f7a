import { instantOf } from '../../time/dates.js';
import type { Consent, ConsentKey } from '../../store/channel.js';
import { PLATFORMS, VENDORS } from '../../store/push-tokens.js';
import { SUPPRESSION_REASONS, type SuppressionReason } from '../../store/profiles.js';

export type SeedConsent = Consent | 'NEVER_SUBSCRIBED';

/**
 * A profile that exists before the first request. Dates are RFC 3339 with an offset. Absent consent
 * is `NEVER_SUBSCRIBED`.
 */
export interface SeedProfile {
  email?: string;
  phone_number?: string;
  /** For somebody who is known only from an app. */
  anonymous_id?: string;
  external_id?: string;
  first_name?: string;
  last_name?: string;
  organization?: string;
  locale?: string;
  title?: string;
  image?: string;
  location?: Readonly<Record<string, unknown>>;
  /** Custom properties; added to those of the profile. */
  properties?: Readonly<Record<string, unknown>>;
  /** `UNSUBSCRIBED` also adds its suppression. */
  email_consent?: SeedConsent;
  open_tracking_consent?: SeedConsent;
  click_tracking_consent?: SeedConsent;
  sms_consent?: SeedConsent;
  sms_transactional_consent?: SeedConsent;
  whatsapp_consent?: SeedConsent;
  whatsapp_transactional_consent?: SeedConsent;
  whatsapp_conversational_consent?: SeedConsent;
  push_consent?: SeedConsent;
  /** For every channel that has no date of its own. @default now */
  consent_timestamp?: string;
  email_consent_timestamp?: string;
  open_tracking_consent_timestamp?: string;
  click_tracking_consent_timestamp?: string;
  /** Marketing and transactional texts. */
  sms_consent_timestamp?: string;
  /** All three kinds of message. */
  whatsapp_consent_timestamp?: string;
  push_consent_timestamp?: string;
  /** How consent was given or removed, on every channel. @default 'API' */
  method?: string;
  method_detail?: string;
  custom_method_detail?: string;
  double_optin?: boolean;
  /** Reasons, with the e-mail consent date unless they have their own. */
  suppressions?: (SuppressionReason | { reason: SuppressionReason; timestamp?: string })[];
  /** List ids, or objects; by default `UNSUBSCRIBE` at the e-mail consent date. */
  list_suppressions?: (string | { list_id: string; reason?: string; timestamp?: string })[];
  push_tokens?: { token: string; platform: 'android' | 'ios'; vendor: 'apns' | 'fcm' }[];
  /** List ids; those without a date were joined at `consent_timestamp`. */
  lists?: (string | { id: string; joined_group_at?: string })[];
  created?: string;
  updated?: string;
  /**
   * A separate profile, even if another one has the e-mail address or the number. @default false
   */
  separate_profile?: boolean;
}

type Field = keyof SeedProfile;

/** Which fields hold a consent, and the date of it. */
export const SEED_CONSENTS = [
  ['email_consent', 'email.marketing', 'email_consent_timestamp'],
  ['open_tracking_consent', 'email.open_tracking', 'open_tracking_consent_timestamp'],
  ['click_tracking_consent', 'email.click_tracking', 'click_tracking_consent_timestamp'],
  ['sms_consent', 'sms.marketing', 'sms_consent_timestamp'],
  ['sms_transactional_consent', 'sms.transactional', 'sms_consent_timestamp'],
  ['whatsapp_consent', 'whatsapp.marketing', 'whatsapp_consent_timestamp'],
  ['whatsapp_transactional_consent', 'whatsapp.transactional', 'whatsapp_consent_timestamp'],
  ['whatsapp_conversational_consent', 'whatsapp.conversational', 'whatsapp_consent_timestamp'],
  ['push_consent', 'mobile_push.marketing', 'push_consent_timestamp'],
] as const satisfies readonly (readonly [Field, ConsentKey, Field])[];

/** Fields that are stored unchanged beside the identifiers. */
export const SEED_DETAILS = [
  'external_id',
  'first_name',
  'last_name',
  'organization',
  'locale',
  'title',
  'image',
  'location',
  'properties',
] as const satisfies readonly Field[];

type Check = (value: unknown, field: string) => void;

const text: Check = (value, field) => {
  if (typeof value !== 'string') throw wrong(field, 'text', value);
};
const flag: Check = (value, field) => {
  if (typeof value !== 'boolean') throw wrong(field, 'true or false', value);
};
const object: Check = (value, field) => {
  if (typeof value !== 'object' || value === null) throw wrong(field, 'an object', value);
};
const date: Check = (value, field) => {
  seedDate(value as string, 0, field);
};
const oneOf =
  (choices: readonly string[]): Check =>
  (value, field) => {
    if (choices.includes(value as string)) return;
    throw new RangeError(`${field} must be one of ${choices.join(', ')}; got ${String(value)}`);
  };
/** A list of objects with these members, or of the first member alone. */
const entries =
  (members: Readonly<Record<string, Check>>, required: readonly string[]): Check =>
  (value, field) => {
    if (!Array.isArray(value)) throw wrong(field, 'a list', value);
    for (const entry of value) {
      const given = typeof entry === 'string' ? { [required[0]!]: entry } : (entry as object);
      object(given, field);
      const missing = required.find((member) => !(member in given));
      if (missing !== undefined) throw new RangeError(`${field}: ${missing} is missing`);
      for (const [member, one] of Object.entries(given)) {
        const check = members[member];
        if (check === undefined) throw new RangeError(`${field}: unknown member "${member}"`);
        check(one, `${field}: ${member}`);
      }
    }
  };
const consent = oneOf(['SUBSCRIBED', 'UNSUBSCRIBED', 'NEVER_SUBSCRIBED']);

/** Its form is checked where it is read. */
const topDate: Check = () => undefined;

/** What each field can hold. */
const CHECKS: Readonly<Record<Field, Check>> = {
  email: text,
  phone_number: text,
  anonymous_id: text,
  external_id: text,
  first_name: text,
  last_name: text,
  organization: text,
  locale: text,
  title: text,
  image: text,
  location: object,
  properties: object,
  email_consent: consent,
  open_tracking_consent: consent,
  click_tracking_consent: consent,
  sms_consent: consent,
  sms_transactional_consent: consent,
  whatsapp_consent: consent,
  whatsapp_transactional_consent: consent,
  whatsapp_conversational_consent: consent,
  push_consent: consent,
  consent_timestamp: topDate,
  email_consent_timestamp: topDate,
  open_tracking_consent_timestamp: topDate,
  click_tracking_consent_timestamp: topDate,
  sms_consent_timestamp: topDate,
  whatsapp_consent_timestamp: topDate,
  push_consent_timestamp: topDate,
  method: text,
  method_detail: text,
  custom_method_detail: text,
  double_optin: flag,
  suppressions: entries({ reason: oneOf(SUPPRESSION_REASONS), timestamp: date }, ['reason']),
  list_suppressions: entries({ list_id: text, reason: text, timestamp: date }, ['list_id']),
  push_tokens: entries({ token: text, platform: oneOf(PLATFORMS), vendor: oneOf(VENDORS) }, [
    'token',
    'platform',
    'vendor',
  ]),
  lists: entries({ id: text, joined_group_at: date }, ['id']),
  created: topDate,
  updated: topDate,
  separate_profile: flag,
};

/**
 * Checks the seed on its own, independent of the account. @throws RangeError naming what is wrong
 */
export function checkSeed(seed: SeedProfile): void {
  for (const field in seed) {
    const value = seed[field as Field];
    if (value === undefined) continue;
    const check = CHECKS[field as Field] as Check | undefined;
    if (check === undefined) {
      const known = Object.keys(CHECKS).join(', ');
      throw new RangeError(`unknown field "${field}"; known are ${known}`);
    }
    check(value, field);
  }
  const { email, phone_number, anonymous_id } = seed;
  if (email === undefined && phone_number === undefined && anonymous_id === undefined) {
    throw new RangeError('a profile needs an email, a phone_number or an anonymous_id');
  }
  if (seed.separate_profile === true && email === undefined && phone_number === undefined) {
    throw new RangeError('separate_profile needs an email or a phone_number to share');
  }
}

/** Epoch ms of all dates of a seed, including defaults. */
export type SeedDates = Readonly<Record<DateField, number>>;
type DateField = 'consent_timestamp' | (typeof SEED_CONSENTS)[number][2] | 'created' | 'updated';

/** @throws RangeError naming the field of anything but a date */
export function seedDates(seed: SeedProfile, now: number): SeedDates {
  const read = (field: DateField, otherwise: number) => seedDate(seed[field], otherwise, field);
  const consented = read('consent_timestamp', now);
  const created = read('created', now);
  return {
    consent_timestamp: consented,
    email_consent_timestamp: read('email_consent_timestamp', consented),
    open_tracking_consent_timestamp: read('open_tracking_consent_timestamp', consented),
    click_tracking_consent_timestamp: read('click_tracking_consent_timestamp', consented),
    sms_consent_timestamp: read('sms_consent_timestamp', consented),
    whatsapp_consent_timestamp: read('whatsapp_consent_timestamp', consented),
    push_consent_timestamp: read('push_consent_timestamp', consented),
    created,
    updated: read('updated', created),
  };
}

/** Epoch ms. @throws RangeError naming the field of anything but a date */
export function seedDate(given: string | undefined, otherwise: number, field: string): number {
  if (given === undefined) return otherwise;
  const ms = typeof given === 'string' ? instantOf(given) : undefined;
  if (ms !== undefined) return ms;
  throw new RangeError(`${field} must be an RFC 3339 date with an offset; got "${String(given)}"`);
}

const wrong = (field: string, what: string, value: unknown): RangeError =>
  new RangeError(`${field} must be ${what}; got ${JSON.stringify(value)}`);
