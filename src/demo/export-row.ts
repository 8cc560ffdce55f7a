import { FILTERED_DOMAIN, personOf, type Person } from './people.js';
import { landline, phoneWithSender, phoneWithoutSender, tollFree } from './phones.js';
import { Random } from './random.js';
import type { RowPlan } from './row-kinds.js';

/** The header of Mailchimp's export of subscribed contacts. */
export const COLUMNS = [
  'Email Address',
  'First Name',
  'Last Name',
  'Phone Number',
  'MEMBER_RATING',
  'OPTIN_TIME',
  'OPTIN_IP',
  'CONFIRM_TIME',
  'CONFIRM_IP',
  'LATITUDE',
  'LONGITUDE',
  'GMTOFF',
  'DSTOFF',
  'TIMEZONE',
  'CC',
  'REGION',
  'LAST_CHANGED',
  'LEID',
  'EUID',
  'NOTES',
  'TAGS',
] as const;

/** A row before it is written, with the person's real data, whatever the row says. */
export interface ExportRow {
  readonly plan: RowPlan;
  readonly person: Person;
  /** E.164 if the row's number is valid and of a country with a sender. */
  readonly phoneNumber: string | null;
  readonly cells: readonly string[];
}

const FIRST_CONSENT = Date.UTC(2014, 0, 1);
const LAST_CONSENT = Date.UTC(2024, 11, 31);
const NOTES = [
  'Met at the fair, asked for the catalogue',
  'Likes "limited editions"',
  'Prefers mail,\r\nnot calls',
  'First order: 2 mugs, 1 print\r\n\r\nGift wrap',
];
const TAGS = ['"VIP","Newsletter"', 'Newsletter', '"Autumn, 2019","Fair"', '"Wholesale"'];
const MALFORMED_EMAILS = [
  (name: string) => `${name}example.com`,
  (name: string) => `${name}@example`,
  (name: string) => `${name}@@example.com`,
  (name: string) => `${name}@example..com`,
  (name: string) => `${name} at example.com`,
  (name: string) => `${name}@example.com; second@example.com`,
];
/** A local number, words, a fictional number outside every valid range, an extension, a short number. */
const MALFORMED_PHONES = ['555-0142', 'n/a', '+447700900123', '+1 201 555 0123 ext. 5', '12'];
const MALFORMED_DATES = ['03/04/2021 05:06', '2021-02-30 10:00:00', 'last summer'];

export function exportRow(seed: number, plan: RowPlan): ExportRow {
  const random = new Random(seed, plan.row, 3);
  const person = personIn(seed, plan);
  const phone = phoneCell(plan, random);
  const dates = dateCells(plan, random);
  const row = {
    'Email Address': emailCell(plan, person, random),
    'First Name': person.firstName,
    'Last Name': person.lastName,
    'Phone Number': phone.text,
    MEMBER_RATING: String(1 + random.below(5)),
    OPTIN_TIME: dates.optedIn,
    OPTIN_IP: dates.optedIn === '' ? '' : `192.0.2.${1 + random.below(254)}`,
    CONFIRM_TIME: dates.confirmed,
    CONFIRM_IP: dates.confirmed === '' ? '' : `198.51.100.${1 + random.below(254)}`,
    LATITUDE: (random.below(1_200_000) / 10_000 - 60).toFixed(7),
    LONGITUDE: (random.below(3_400_000) / 10_000 - 170).toFixed(7),
    GMTOFF: '0',
    DSTOFF: '0',
    TIMEZONE: random.chance(0.7) ? 'Etc/GMT' : '',
    CC: phone.country,
    REGION: '',
    LAST_CHANGED: wallClock(LAST_CONSENT + random.below(86_400) * 1_000),
    LEID: String(100_000 + plan.row),
    EUID: random
      .below(2 ** 32)
      .toString(16)
      .padStart(10, '0'),
    NOTES: random.chance(0.03) ? random.pick(NOTES) : '',
    TAGS: random.chance(0.2) ? random.pick(TAGS) : '',
  } satisfies Record<(typeof COLUMNS)[number], string>;
  const cells = COLUMNS.map((column) => row[column]);
  if (plan.kind === 'row_malformed') cells.push('a cell too many');
  return { plan, person, phoneNumber: phone.e164, cells };
}

function personIn(seed: number, { kind, row, original }: RowPlan): Person {
  if (kind === 'filtered' || kind === 'undated_filtered') {
    return personOf(seed, row, FILTERED_DOMAIN);
  }
  return personOf(seed, kind === 'duplicate_email' && original !== null ? original.row : row);
}

function emailCell({ kind }: RowPlan, { email }: Person, random: Random): string {
  const name = email.slice(0, email.indexOf('@'));
  if (kind === 'email_malformed') return random.pick(MALFORMED_EMAILS)(name);
  if (kind === 'email_missing' || kind === 'identifier_missing')
    return random.chance(0.5) ? '' : ' ';
  if (kind === 'duplicate_email') return email.toUpperCase();
  const mess = random.below(20);
  if (mess === 0) return email.toUpperCase();
  if (mess === 1) return ` ${email} `;
  if (mess === 2) return email[0]?.toUpperCase() + email.slice(1);
  return email;
}

interface PhoneCell {
  readonly text: string;
  readonly country: string;
  readonly e164: string | null;
}

function phoneCell(plan: RowPlan, random: Random): PhoneCell {
  const bad = (text: string, country = 'US'): PhoneCell => ({ text, country, e164: null });
  const { kind, ordinal } = plan;
  switch (kind) {
    case 'phone':
    case 'email_missing':
    case 'duplicate_phone': {
      const { e164, country } = phoneWithSender(phoneNumberOf(plan));
      return { text: written(e164, country, random), country, e164 };
    }
    case 'phone_country_without_sender': {
      const { e164, country } = phoneWithoutSender(ordinal);
      return bad(e164, country);
    }
    case 'phone_landline': {
      const { text, country } = landline(ordinal);
      return bad(text, country);
    }
    case 'phone_malformed':
      return bad(MALFORMED_PHONES[ordinal % MALFORMED_PHONES.length] ?? '');
    case 'phone_scientific_notation':
      return bad(`1.${2_000 + random.below(7_999)}E+10`);
    case 'phone_toll_free':
      return bad(tollFree(ordinal));
    default:
      return bad('', random.chance(0.8) ? random.pick(['US', 'US', 'CA', 'AU', 'GB']) : '');
  }
}

/** Picks the number: rows without an e-mail get theirs between those of the others. */
function phoneNumberOf({ kind, ordinal, original }: RowPlan): number {
  if (kind === 'duplicate_phone' && original !== null) return phoneNumberOf(original);
  return kind === 'email_missing' ? ordinal * 151 + 150 : ordinal + Math.floor(ordinal / 150);
}

/** The number as people and spreadsheets write it; only North American numbers in national format. */
function written(e164: string, country: string, random: Random): string {
  if (country !== 'US' && country !== 'CA') return e164;
  const [area, exchange, line] = [e164.slice(2, 5), e164.slice(5, 8), e164.slice(8)];
  return random.pick([
    e164,
    e164,
    `(${area}) ${exchange}-${line}`,
    `${area}.${exchange}.${line}`,
    `+1 ${area} ${exchange} ${line}`,
    `'${e164}`,
  ]);
}

function dateCells({ kind }: RowPlan, random: Random): { optedIn: string; confirmed: string } {
  const consent = FIRST_CONSENT + random.below((LAST_CONSENT - FIRST_CONSENT) / 1_000) * 1_000;
  switch (kind) {
    case 'undated':
    case 'undated_filtered':
      return { optedIn: '', confirmed: '' };
    case 'date_in_future':
      return { optedIn: '', confirmed: wallClock(Date.UTC(2071, random.below(12), 5, 10)) };
    case 'date_before_1990':
      return { optedIn: '', confirmed: wallClock(Date.UTC(1970 + random.below(19), 0, 1)) };
    case 'date_malformed':
      return { optedIn: '', confirmed: random.pick(MALFORMED_DATES) };
    default:
      // Contacts added by import never clicked a confirmation.
      return random.chance(0.15)
        ? { optedIn: wallClock(consent), confirmed: '' }
        : { optedIn: wallClock(consent - 90_000), confirmed: wallClock(consent) };
  }
}

/** `YYYY-MM-DD HH:MM:SS` without a zone, as in the real export. */
function wallClock(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}
