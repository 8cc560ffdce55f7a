import { isPhoneChannel, isTextChannel, type ConsentChannel } from '../contracts/channels.js';
import type { Reason } from '../contracts/outcomes.js';
import { cellText } from './values/cell-text.js';
import { readEmail, type EmailReading } from './values/email.js';
import type { ImportOptions } from './options.js';
import { countryCode, readPhone, type PhoneReading } from './values/phone.js';
import type { RowClaim } from './presets/preset.js';

/** Who a row is about: its e-mail address and phone number, and for which channels they serve. */
export interface Identifiers {
  readonly email: EmailReading;
  readonly phone: PhoneReading;
  /** The number, where something that the row asks may use it. */
  readonly phoneNumber: string | null;
  /** ISO alpha-2 that the row names, where it names one. */
  readonly rowCountry: string | null;
}

export function readIdentifiers(row: RowClaim, options: ImportOptions): Identifiers {
  const email = readEmail(row.email);
  const asked = row.channels.filter(({ ask }) => ask !== 'nothing').map(({ channel }) => channel);
  const phone = isPhoneWanted(email, asked, options)
    ? readPhone(row.phone, row.country, options.country)
    : ({ kind: 'missing' } as const);
  const serves =
    phone.kind === 'valid' || (phone.kind === 'landline' && asked.includes('whatsapp'));
  return {
    email,
    phone,
    phoneNumber: serves ? phone.phoneNumber : null,
    rowCountry: countryCode(row.country),
  };
}

/**
 * A number is read only where a phone channel is asked for it, or where it is all that names the
 * person: also of an opt-out with a mistyped address, which the plan then holds against consent.
 */
function isPhoneWanted(
  email: EmailReading,
  asked: readonly ConsentChannel[],
  options: ImportOptions,
): boolean {
  if (asked.some(isPhoneChannel)) return true;
  const forPhone = options.channels.some(
    (channel) => isPhoneChannel(channel) || channel === 'push',
  );
  return email.kind !== 'valid' && forPhone;
}

/** Whether there is nothing at all that names a person. */
export function isNameless(row: RowClaim, { email }: Identifiers): boolean {
  return email.kind === 'missing' && cellText(row.phone) === '';
}

/** Why a channel cannot reach this person; null where it can. */
export function channelRefusal(
  channel: ConsentChannel,
  { email, phone }: Identifiers,
): Reason | null {
  if (channel === 'email') return emailRefusal(email);
  if (channel === 'push') return personRefusal({ email, phone });
  if (phone.kind === 'landline') return isTextChannel(channel) ? 'phone_landline' : null;
  return phoneRefusal(phone);
}

/**
 * Why nobody can be found by this row, for list membership and push: people are known by their
 * e-mail, and by their phone number only where they have no e-mail.
 */
export function personRefusal({
  email,
  phone,
}: Pick<Identifiers, 'email' | 'phone'>): Reason | null {
  if (email.kind === 'missing' && phone.kind !== 'missing') return phoneRefusal(phone);
  return emailRefusal(email);
}

function emailRefusal(email: EmailReading): Reason | null {
  if (email.kind === 'missing') return 'email_missing';
  return email.kind === 'invalid' ? 'email_invalid' : null;
}

function phoneRefusal(phone: PhoneReading): Reason | null {
  switch (phone.kind) {
    case 'missing':
      return 'phone_missing';
    case 'landline':
      return 'phone_landline';
    case 'refused':
      return phone.reason;
    case 'valid':
      return null;
  }
}

/** What the report should say of the number of a channel that is asked: warnings, no refusals. */
export function phoneNotes(channel: ConsentChannel, identifiers: Identifiers): readonly string[] {
  const { phone, rowCountry } = identifiers;
  if (!isPhoneChannel(channel)) return [];
  if (phone.kind !== 'valid' && phone.kind !== 'landline') return [];
  const elsewhere = rowCountry !== null && phone.country !== null && phone.country !== rowCountry;
  return [
    ...(phone.kind === 'landline' ? ['phone_landline'] : []),
    ...(elsewhere ? ['phone_of_other_country'] : []),
  ];
}
