import type { ExportRow } from './export-row.js';
import { bystanderPhone } from './phones.js';
import { Random } from './random.js';

export type SeedConsent = 'SUBSCRIBED' | 'UNSUBSCRIBED' | 'NEVER_SUBSCRIBED';
export type SeedSuppression =
  'HARD_BOUNCE' | 'INVALID_EMAIL' | 'SPAM_COMPLAINT' | 'UNSUBSCRIBE' | 'USER_SUPPRESSED';

/** A profile that the account has before the run, in the sandbox's format: one JSON object per line. */
export interface SeedProfile {
  email: string;
  phone_number?: string;
  email_consent?: SeedConsent;
  sms_consent?: SeedConsent;
  /** RFC 3339 in UTC. */
  consent_timestamp?: string;
  suppressions?: { reason: SeedSuppression; timestamp: string }[];
  /** List ids. */
  lists?: string[];
}

/** What the account knows about a person of the file before the run. */
export type AccountState =
  | 'absent'
  | 'never_subscribed'
  | 'subscribed_on_list'
  | 'subscribed_off_list'
  | 'subscribed_email_and_sms'
  | 'unsubscribed'
  | 'unsubscribed_sms'
  | 'user_suppressed'
  | 'spam_complaint'
  | 'hard_bounce'
  | 'invalid_email';

type KnownState = Exclude<AccountState, 'absent'>;

/** Of each 1,000 people. States with a phone number only if the row's number is valid. */
const SHARES: readonly (readonly [KnownState, number])[] = [
  ['never_subscribed', 80],
  ['subscribed_on_list', 120],
  ['subscribed_off_list', 50],
  ['subscribed_email_and_sms', 30],
  ['unsubscribed', 40],
  ['unsubscribed_sms', 20],
  ['user_suppressed', 10],
  ['spam_complaint', 3],
  ['hard_bounce', 10],
  ['invalid_email', 2],
];

/** The account's consent dates from after the file's last date and before the export. */
const FIRST_IN_ACCOUNT = Date.UTC(2025, 0, 2);
const DAYS_IN_ACCOUNT = 300;

/** The state of a row's person; people whose row asks for no consent are new or unasked. */
export function accountState(seed: number, row: ExportRow): AccountState {
  const { kind } = row.plan;
  const draw = new Random(seed, row.plan.row, 4).below(1_000);
  if (kind === 'undated') return draw < 200 ? 'never_subscribed' : 'absent';
  if (kind !== 'plain' && !kind.startsWith('phone')) return 'absent';
  let top = 0;
  for (const [state, share] of SHARES) {
    top += share;
    if (draw >= top) continue;
    const needsPhone = state === 'subscribed_email_and_sms' || state === 'unsubscribed_sms';
    return needsPhone && row.phoneNumber === null ? 'absent' : state;
  }
  return 'absent';
}

/** Null for people that the account does not know. */
export function seedProfile(
  seed: number,
  row: ExportRow,
  listId: string | null,
): SeedProfile | null {
  const state = accountState(seed, row);
  if (state === 'absent') return null;
  return profileIn(
    state,
    row.person.email,
    row.phoneNumber,
    listId,
    new Random(seed, row.plan.row, 5),
  );
}

/** People of the account who are not in the file: the n-th. */
export function bystander(seed: number, n: number, listId: string | null): SeedProfile {
  const random = new Random(seed, n, 6);
  const phone = bystanderPhone(n);
  const state = random.pick<KnownState>([
    'subscribed_on_list',
    'subscribed_off_list',
    'subscribed_off_list',
    'never_subscribed',
    'unsubscribed',
    'user_suppressed',
    phone === null ? 'never_subscribed' : 'subscribed_email_and_sms',
  ]);
  return profileIn(state, `bystander.${n + 1}@example.net`, phone, listId, random);
}

function profileIn(
  state: KnownState,
  email: string,
  phone: string | null,
  listId: string | null,
  random: Random,
): SeedProfile {
  const at = new Date(FIRST_IN_ACCOUNT + random.below(DAYS_IN_ACCOUNT) * 86_400_000).toISOString();
  const lists = listId === null ? {} : { lists: [listId] };
  const subscribed = { email, email_consent: 'SUBSCRIBED', consent_timestamp: at } as const;
  const suppressed = (reason: SeedSuppression): SeedProfile => ({
    ...subscribed,
    suppressions: [{ reason, timestamp: at }],
  });
  switch (state) {
    case 'never_subscribed':
      return { email, email_consent: 'NEVER_SUBSCRIBED' };
    case 'subscribed_on_list':
      return { ...subscribed, ...lists };
    case 'subscribed_off_list':
      return subscribed;
    case 'subscribed_email_and_sms':
      return { ...subscribed, ...withPhone(phone), sms_consent: 'SUBSCRIBED', ...lists };
    case 'unsubscribed':
      return {
        email,
        email_consent: 'UNSUBSCRIBED',
        consent_timestamp: at,
        suppressions: [{ reason: 'UNSUBSCRIBE', timestamp: at }],
      };
    case 'unsubscribed_sms':
      return { email, ...withPhone(phone), sms_consent: 'UNSUBSCRIBED', consent_timestamp: at };
    case 'user_suppressed':
      return suppressed('USER_SUPPRESSED');
    case 'spam_complaint':
      return suppressed('SPAM_COMPLAINT');
    case 'hard_bounce':
      return suppressed('HARD_BOUNCE');
    case 'invalid_email':
      return suppressed('INVALID_EMAIL');
  }
}

function withPhone(phone: string | null): { phone_number?: string } {
  return phone === null ? {} : { phone_number: phone };
}
