import type { Settings } from '../../options.js';
import { phoneVerdict, smsAge } from '../../phone.js';
import type { ConsentRow } from './consent-rows.js';
import { invalid, type ErrorEntry } from '../errors.js';

/** What becomes of a row's phone number: used, dropped with the request going through, or a 400. */
export type PhoneRuling =
  | { use: 'keep' }
  | { use: 'drop' }
  /** Accepted, but consent will not be applied. */
  | { use: 'landline' }
  | { use: 'refuse'; entry: ErrorEntry };

/** Klaviyo's rules on the phone number of one subscribe row (behaviours, section 2). */
export function rulePhone(row: ConsentRow, settings: Settings, now: number): PhoneRuling {
  if (row.phone === null) return { use: 'keep' };
  const refuse = (detail: string): PhoneRuling => ({
    use: 'refuse',
    entry: invalid(`${row.pointer}/attributes/phone_number`, detail),
  });
  const wantsTexts = row.channels.includes('sms');
  const configured = settings.sms.status === 'active';
  if (wantsTexts && !configured && row.email === null) {
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
  if (!configured || !hasSender(settings, verdict.country)) {
    return refuse('Phone number is valid but is not in a supported region for this account.');
  }
  const ageProblem = settings.account.ageGated
    ? ageEntry(row, smsAge(verdict.country), now)
    : undefined;
  if (ageProblem !== undefined) return { use: 'refuse', entry: ageProblem };
  return { use: verdict.landline ? 'landline' : 'keep' };
}

const hasSender = ({ sms }: Settings, country: string): boolean =>
  sms.senders.some((sender) => sender.status === 'active' && sender.country === country);

/** The status is documented, the words are not: these are ours. */
function ageEntry(row: ConsentRow, age: number | undefined, now: number): ErrorEntry | undefined {
  if (age === undefined) return undefined;
  const pointer = `${row.pointer}/attributes/age_gated_date_of_birth`;
  if (typeof row.dateOfBirth !== 'string' || Number.isNaN(Date.parse(row.dateOfBirth))) {
    return invalid(pointer, 'A date of birth is required to update SMS consent for this account.');
  }
  const comesOfAge = new Date(row.dateOfBirth);
  comesOfAge.setUTCFullYear(comesOfAge.getUTCFullYear() + age);
  return comesOfAge.getTime() > now
    ? invalid(pointer, 'Profile does not meet the minimum age to receive SMS in this region.')
    : undefined;
}
