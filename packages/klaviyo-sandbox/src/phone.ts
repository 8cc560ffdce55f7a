import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** The result of Klaviyo's check of a phone number. */
export type PhoneVerdict =
  | { kind: 'malformed' }
  /** Well formed, but no such number or none that can get a text. */
  | { kind: 'ineligible' }
  | { kind: 'valid'; country: string; landline: boolean };

const E164 = /^\+[1-9]\d{7,14}$/;
const WITHOUT_TEXTS = new Set([
  'TOLL_FREE',
  'PREMIUM_RATE',
  'SHARED_COST',
  'UAN',
  'VOICEMAIL',
  'PAGER',
]);

/** A row's number is checked several times in a row, and each check takes 20 µs. */
let last: { phone: string; verdict: PhoneVerdict } = { phone: '', verdict: { kind: 'malformed' } };

export function phoneVerdict(phone: string): PhoneVerdict {
  if (phone !== last.phone) last = { phone, verdict: verdictOn(phone) };
  return last.verdict;
}

function verdictOn(phone: string): PhoneVerdict {
  if (!E164.test(phone)) return { kind: 'malformed' };
  const number = parsePhoneNumberFromString(phone);
  // Only a valid number has a type; asking for both would do the same work twice.
  const type = number?.getType();
  if (number?.country === undefined || type === undefined || WITHOUT_TEXTS.has(type)) {
    return { kind: 'ineligible' };
  }
  return { kind: 'valid', country: number.country, landline: type === 'FIXED_LINE' };
}

/**
 * Ages from which SMS consent may be given, if the account is age-gated (help article
 * 17252552814875).
 */
const SMS_AGES: Readonly<Record<string, number>> = {
  US: 21,
  GB: 18,
  DE: 18,
  IE: 18,
  AU: 18,
  FR: 18,
  BE: 18,
  AT: 18,
  ES: 18,
  IT: 18,
  PT: 18,
  CH: 16,
};

/** Undefined if the country has no age gate. */
export function smsAge(country: string): number | undefined {
  return SMS_AGES[country];
}
