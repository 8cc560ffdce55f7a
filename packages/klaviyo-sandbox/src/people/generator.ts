import type { SeedProfile } from '../account/profiles/seeding.js';
import { hash } from '../chance/chance.js';
import { instantOf } from '../time/dates.js';
import { fictionPhone } from './fiction-phones.js';
import type { SuppressionReason } from '../store/profiles.js';

/** The make-up of generated people. Shares are from 0 to 1. */
export interface Population {
  /** How many people. */
  profiles: number;
  /** @default the sandbox's */
  seed?: number;
  /** Have an e-mail address; the others only have a phone number. @default 0.97 */
  email_share?: number;
  /** Of those with an e-mail address: also have a phone number. @default 0.25 */
  phone_share?: number;
  /** Of those with an e-mail address: e-mail consent. The rest never subscribed. @default 0.6 */
  subscribed_share?: number;
  /** @default 0.1 */
  unsubscribed_share?: number;
  /** Of those with an e-mail address: suppressed for this reason. @default 0.02 */
  hard_bounce_share?: number;
  /** @default 0.005 */
  invalid_email_share?: number;
  /** @default 0.002 */
  spam_complaint_share?: number;
  /** @default 0.02 */
  user_suppressed_share?: number;
  /** Of those with a phone number: SMS consent. @default 0.5 */
  sms_subscribed_share?: number;
  /** @default 0.1 */
  sms_unsubscribed_share?: number;
  /** Ids of lists. @default every list of the account */
  lists?: string[];
  /** Of those who are subscribed: on each of the lists. @default 0.6 */
  list_share?: number;
  /**
   * When the first of them was created, RFC 3339 with an offset; the last is created now. @default
   * five years ago
   */
  since?: string;
}

const USUAL = {
  email_share: 0.97,
  phone_share: 0.25,
  subscribed_share: 0.6,
  unsubscribed_share: 0.1,
  hard_bounce_share: 0.02,
  invalid_email_share: 0.005,
  spam_complaint_share: 0.002,
  user_suppressed_share: 0.02,
  sms_subscribed_share: 0.5,
  sms_unsubscribed_share: 0.1,
  list_share: 0.6,
};
type Shares = typeof USUAL;

/** Per call: ten times as many as in the benchmarks, and about 7 GB. */
const MOST_PROFILES = 10_000_000;
const FIVE_YEARS_MS = 5 * 365 * 86_400_000;
const OTHER_FIELDS = ['profiles', 'seed', 'lists', 'since'];

/** What the generator needs from the account. */
export interface Surroundings {
  seed: number;
  lists: readonly string[];
  /** Epoch ms. */
  now: number;
  /** Next numbers of people and phones; increased, so that nobody is generated twice. */
  next: { person: number; phone: number };
}

/**
 * Generated people in the order of their dates: the same for the same seed. Addresses are of
 * reserved domains, phone numbers of ranges that belong to nobody.
 *
 * @throws RangeError naming what is out of its range
 */
export function people(given: Population, around: Surroundings): Iterable<SeedProfile> {
  const shares = sharesOf(given);
  const { profiles, seed = around.seed, lists = around.lists } = given;
  if (!Number.isInteger(profiles) || profiles < 1 || profiles > MOST_PROFILES) {
    throw new RangeError(
      `profiles must be a whole number from 1 to ${MOST_PROFILES}, got ${String(profiles)}`,
    );
  }
  if (!Number.isInteger(seed)) throw new RangeError(`seed must be a whole number, got ${seed}`);
  if (!Array.isArray(lists)) throw new RangeError('lists must be an array of list ids');
  const unknown = (lists as readonly unknown[]).find((id) => !around.lists.includes(id as string));
  if (unknown !== undefined) {
    throw new RangeError(`lists: no list ${JSON.stringify(unknown)}; create it first`);
  }
  const since = given.since === undefined ? around.now - FIVE_YEARS_MS : instantOf(given.since);
  if (since === undefined || since > around.now) {
    throw new RangeError('since must be an RFC 3339 date with an offset, not in the future');
  }
  return make({ profiles, seed, lists, since, shares }, around);
}

interface Recipe {
  profiles: number;
  seed: number;
  lists: readonly string[];
  since: number;
  shares: Shares;
}

function* make(recipe: Recipe, { now, next }: Surroundings): Generator<SeedProfile> {
  const step = (now - recipe.since) / recipe.profiles;
  for (let i = 0; i < recipe.profiles; i++) {
    const number = next.person++;
    const draw = drawsOf(hash(recipe.seed, 'person', String(number)));
    const created = recipe.since + step * i;
    yield person(recipe, { number, draw, created, now, next });
  }
}

interface Circumstances {
  number: number;
  draw: () => number;
  created: number;
  now: number;
  next: { phone: number };
}

function person(
  { shares, lists }: Recipe,
  { number, draw, created, now, next }: Circumstances,
): SeedProfile {
  const hasEmail = draw() < shares.email_share;
  const hasPhone = !hasEmail || draw() < shares.phone_share;
  const since = (from: number) => from + (now - from) * draw();
  const consented = Math.min(now, created + draw() * HOUR_MS);
  const email = hasEmail
    ? consentOf(draw(), shares.subscribed_share, shares.unsubscribed_share)
    : NEVER;
  const sms = hasPhone
    ? consentOf(draw(), shares.sms_subscribed_share, shares.sms_unsubscribed_share)
    : NEVER;
  const reason = hasEmail ? suppressionOf(draw(), shares) : undefined;
  const profile: SeedProfile = { created: dateText(created) };
  const name = { given: oneOf(GIVEN, draw), family: oneOf(FAMILY, draw) };
  if (hasEmail) {
    profile.email = `${name.given}.${name.family}${number}@${oneOf(DOMAINS, draw)}`;
    profile.first_name = capital(name.given);
    profile.last_name = capital(name.family);
  }
  if (hasPhone) profile.phone_number = fictionPhone(next.phone++);
  if (email !== NEVER) {
    profile.email_consent = email;
    profile.email_consent_timestamp = dateText(
      email === 'SUBSCRIBED' ? consented : since(consented),
    );
    profile.double_optin = email === 'SUBSCRIBED' && draw() < 0.5;
  }
  if (sms !== NEVER) {
    profile.sms_consent = sms;
    profile.sms_consent_timestamp = dateText(sms === 'SUBSCRIBED' ? consented : since(consented));
  }
  if (reason !== undefined) {
    profile.suppressions = [{ reason, timestamp: dateText(since(consented)) }];
  }
  if (email === 'SUBSCRIBED' || sms === 'SUBSCRIBED') {
    profile.updated = dateText(consented);
    const joined = lists.filter(() => draw() < shares.list_share);
    if (joined.length > 0) {
      profile.lists = joined.map((id) => ({ id, joined_group_at: dateText(consented) }));
    }
  }
  return profile;
}

const dateText = (ms: number): string => new Date(ms).toISOString();

const HOUR_MS = 3_600_000;
const NEVER = 'NEVER_SUBSCRIBED';

function consentOf(draw: number, subscribed: number, unsubscribed: number) {
  if (draw < subscribed) return 'SUBSCRIBED';
  return draw < subscribed + unsubscribed ? 'UNSUBSCRIBED' : NEVER;
}

function suppressionOf(draw: number, shares: Shares): SuppressionReason | undefined {
  const reasons: [SuppressionReason, number][] = [
    ['HARD_BOUNCE', shares.hard_bounce_share],
    ['INVALID_EMAIL', shares.invalid_email_share],
    ['SPAM_COMPLAINT', shares.spam_complaint_share],
    ['USER_SUPPRESSED', shares.user_suppressed_share],
  ];
  let limit = 0;
  for (const [reason, share] of reasons) {
    limit += share;
    if (draw < limit) return reason;
  }
  return undefined;
}

const GIVEN =
  'ada ben cleo dan eva finn gia hugo ida jon kim lea max nia otto pia quin rosa sam tess uma vic wim yara zoe'.split(
    ' ',
  );
const FAMILY =
  'ash brook cole dale elm field glen hill isle lake marsh north oak pine quill reed stone thorn vale wood'.split(
    ' ',
  );
/** Reserved for examples: nobody gets mail there. */
const DOMAINS = ['example.com', 'example.net', 'example.org', 'mail.example', 'post.example'];

function oneOf(names: readonly string[], draw: () => number): string {
  return names[Math.floor(draw() * names.length)]!;
}

const capital = (name: string): string => name[0]!.toUpperCase() + name.slice(1);

function sharesOf(given: Population): Shares {
  const shares = { ...USUAL };
  for (const [name, value] of Object.entries(given as unknown as Record<string, unknown>)) {
    if (OTHER_FIELDS.includes(name)) continue;
    if (!(name in USUAL)) {
      const known = [...OTHER_FIELDS, ...Object.keys(USUAL)].join(', ');
      throw new RangeError(`a population has no "${name}"; known are ${known}`);
    }
    if (typeof value !== 'number' || !(value >= 0 && value <= 1)) {
      throw new RangeError(`${name} must be a number from 0 to 1, got ${String(value)}`);
    }
    shares[name as keyof Shares] = value;
  }
  atMostOne(shares, ['subscribed_share', 'unsubscribed_share']);
  atMostOne(shares, ['sms_subscribed_share', 'sms_unsubscribed_share']);
  atMostOne(shares, [
    'hard_bounce_share',
    'invalid_email_share',
    'spam_complaint_share',
    'user_suppressed_share',
  ]);
  return shares;
}

function atMostOne(shares: Shares, names: readonly (keyof Shares)[]): void {
  const sum = names.reduce((total, name) => total + shares[name], 0);
  if (sum > 1 + 1e-9)
    throw new RangeError(`${names.join(' and ')} must not be more than 1 together`);
}

/** A sequence of numbers in [0, 1): mulberry32. */
function drawsOf(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
