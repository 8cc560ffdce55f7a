import type { Core } from '../../account/core.js';
import { phoneVerdict, smsAge } from '../../phone.js';
import type { ConsentRow } from './consent-rows.js';
import { invalid, type ErrorEntry } from '../http/errors.js';

/** The result for a row's phone number: used, dropped while the request is accepted, or a 400. */
export type PhoneRuling =
  | { use: 'keep' }
  | { use: 'drop' }
  /** The number is stored, but consent to texts is not applied. */
  | { use: 'landline' }
  | { use: 'refuse'; entry: ErrorEntry };

/** Klaviyo's rules for the phone number of one subscribe row (behaviours, section 2). */
export function rulePhone(
  row: ConsentRow,
  { settings, texting }: Pick<Core, 'settings' | 'texting'>,
  now: number,
): PhoneRuling {
  if (row.phone === null) return { use: 'keep' };
  const refuse = (detail: string): PhoneRuling => ({
    use: 'refuse',
    entry: invalid(`${row.pointer}/attributes/phone_number`, detail),
  });
  const wantsTexts = row.channels.includes('sms');
  if (wantsTexts && !texting.isActive && row.email === null) {
    return refuse('SMS configuration is required to subscribe phone number only profiles.');
  }
  const verdict = phoneVerdict(row.phone);
  if (verdict.kind !== 'valid') {
    const dropped = settings.switches.invalidPhoneWithEmail === 'partial_failure';
    if (row.email !== null && dropped) return { use: 'drop' };
    return refuse(
      verdict.kind === 'malformed'
        ? 'Invalid phone number format (Example of a valid format: +12345678901)'
        : 'The phone number provided either does not exist or is ineligible to receive SMS',
    );
  }
  if (!wantsTexts) return { use: 'keep' };
  if (!texting.reaches(verdict.country)) {
    return refuse('Phone number is valid but is not in a supported region for this account.');
  }
  const ageProblem = settings.account.ageGated
    ? ageEntry(row, smsAge(verdict.country), now)
    : undefined;
  if (ageProblem !== undefined) return { use: 'refuse', entry: ageProblem };
  return { use: verdict.landline ? 'landline' : 'keep' };
}

/** The status is documented, the wording is not: this is ours. */
function ageEntry(row: ConsentRow, age: number | undefined, now: number): ErrorEntry | undefined {
  if (age === undefined) return undefined;
  const pointer = `${row.pointer}/attributes/age_gated_date_of_birth`;
  const comesOfAge = dateOf(row.dateOfBirth);
  if (comesOfAge === undefined) {
    return invalid(pointer, 'A date of birth is required to update SMS consent for this account.');
  }
  comesOfAge.setUTCFullYear(comesOfAge.getUTCFullYear() + age);
  return comesOfAge.getTime() > now
    ? invalid(pointer, 'Profile does not meet the minimum age to receive SMS in this region.')
    : undefined;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

function dateOf(value: unknown): Date | undefined {
  if (typeof value !== 'string' || !DATE.test(value)) return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
