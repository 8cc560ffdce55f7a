import { isPhoneChannel, isTextChannel, type ConsentChannel } from '../contracts/channels.js';
import type { Reason } from '../contracts/outcomes.js';
import { cellText } from './values/cell-text.js';
import { readEmail, type EmailReading } from './values/email.js';
import { isNeverMailed } from './values/never-mailed.js';
import { isSilent, type ImportOptions } from './options.js';
import { countryCode, readPhone, type PhoneReading } from './values/phone.js';
import type { RowClaim } from './presets/preset.js';

/**
 * Identifies the person of a row: e-mail address, phone number, and the channels they can be used
 * for.
 */
export interface Identifiers {
  readonly email: EmailReading;
  readonly phone: PhoneReading;
  /** The number, if something that the row asks may use it. */
  readonly phoneNumber: string | null;
  /** ISO alpha-2 code that the row names, if any. */
  readonly rowCountry: string | null;
}

export function readIdentifiers(row: RowClaim, options: ImportOptions): Identifiers {
  const email = readEmail(row.email);
  const asked =
    options.operation === 'unsubscribe'
      ? options.channels
      : row.channels.filter(({ ask }) => !isSilent(ask, options)).map(({ channel }) => channel);
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
 * A number is read only if a phone channel needs it, or if it alone identifies the person. The
 * latter includes an opt-out with a mistyped address, which then counts against consent in the
 * plan.
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

/** Whether nothing identifies a person. */
export function isNameless(row: RowClaim, { email }: Identifiers): boolean {
  return email.kind === 'missing' && cellText(row.phone) === '';
}

/** Why a channel cannot reach this person; null if it can. */
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
 * Why this row identifies nobody, for list membership and push: people are identified by their
 * e-mail, and by their phone number only if they have no e-mail.
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

/** Notes for the report about the address, if consent to mail is asked for it. */
export function emailNotes(channel: ConsentChannel, { email }: Identifiers): readonly string[] {
  const isNoted = channel === 'email' && email.kind === 'valid' && isNeverMailed(email.email);
  return isNoted ? ['address_never_mailed'] : [];
}

/** Notes for the report about the number of a channel: warnings, not refusals. */
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
