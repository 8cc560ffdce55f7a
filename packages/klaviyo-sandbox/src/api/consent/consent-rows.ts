import {
  isEmail,
  isObject,
  identifier,
  rowPointer,
  unknownField,
  type Json,
} from '../http/body.js';
import { invalid, missing, type ErrorEntry } from '../http/errors.js';
import { askedOf, type Asked, type AskedConsent, type WrittenConsent } from './asked-consents.js';
import type { Forms } from '../revisions/forms.js';
import type { NewPushToken } from '../../account/consent/subscribe-row.js';

/** One row of a subscribe or unsubscribe call, well formed but not yet checked against the account. */
export interface ConsentRow {
  pointer: string;
  /** Always null in an unsubscribe, which accepts no ids. */
  profileId: string | null;
  /** In lower case. */
  email: string | null;
  /** The address as it was written. */
  written: string | null;
  phone: string | null;
  dateOfBirth: unknown;
  asked: readonly AskedConsent[];
  channels: readonly string[];
  tokens: readonly NewPushToken[];
  anonymousId: string | null;
}

const KNOWN: Readonly<Record<WrittenConsent, ReadonlySet<string>>> = {
  SUBSCRIBED: new Set(['email', 'phone_number', 'subscriptions', 'age_gated_date_of_birth']),
  UNSUBSCRIBED: new Set(['email', 'phone_number', 'subscriptions']),
};

/** Reads a row, or returns the first error in its form. */
export function consentRow(
  value: unknown,
  row: number,
  consent: WrittenConsent,
  forms: Forms,
): ConsentRow | ErrorEntry {
  const pointer = rowPointer(row);
  const attributes = isObject(value) ? value['attributes'] : undefined;
  if (!isObject(value) || value['type'] !== 'profile') {
    return invalid(`${pointer}/type`, "Each profile needs the type 'profile'.");
  }
  if (!isObject(attributes)) return missing(`${pointer}/attributes`, 'attributes', 'profile');
  const wrong = wrongAttribute(attributes, `${pointer}/attributes`, KNOWN[consent]);
  if (wrong !== undefined) return wrong;
  const asked = subscriptionsOf(attributes, `${pointer}/attributes/subscriptions`, consent, forms);
  if ('code' in asked) return asked;
  const { consents, tokens, anonymousId } = asked;
  const written = identifier(attributes['email']);
  const read: ConsentRow = {
    pointer,
    profileId: consent === 'SUBSCRIBED' ? identifier(value['id']) : null,
    email: written?.toLowerCase() ?? null,
    written,
    phone: identifier(attributes['phone_number']),
    dateOfBirth: attributes['age_gated_date_of_birth'],
    asked: consents,
    channels: [...new Set(consents.map(({ channel }) => channel))],
    tokens,
    anonymousId,
  };
  return missingIdentifier(read, consent) ?? read;
}

export const isError = (row: ConsentRow | ErrorEntry): row is ErrorEntry => 'code' in row;

/**
 * The wording for values that are not strings is ours; it is recorded that an unknown attribute is
 * refused.
 */
function wrongAttribute(
  attributes: Json,
  at: string,
  known: ReadonlySet<string>,
): ErrorEntry | undefined {
  const unknown = unknownField(attributes, known, at, 'profile');
  if (unknown !== undefined) return unknown;
  const wrong = ['email', 'phone_number'].find((field) => {
    const value = attributes[field] ?? null;
    return value !== null && typeof value !== 'string';
  });
  return wrong === undefined ? undefined : invalid(`${at}/${wrong}`, 'Not a valid string.');
}

function subscriptionsOf(
  attributes: Json,
  at: string,
  consent: WrittenConsent,
  forms: Forms,
): Asked | ErrorEntry {
  const subscriptions = attributes['subscriptions'] ?? undefined;
  if (subscriptions === undefined) return missing(at, 'subscriptions', 'profile');
  return isObject(subscriptions)
    ? askedOf(subscriptions, at, consent, forms)
    : invalid(at, 'Not a valid object.');
}

/** Each channel needs its address; only push goes to anyone who has the app. */
function missingIdentifier(row: ConsentRow, consent: WrittenConsent): ErrorEntry | undefined {
  const { email, phone, channels, pointer } = row;
  // Recorded for sms; the other channels are assumed to use the same wording.
  for (const channel of channels) {
    if (channel === 'push' && isPushable(row, consent)) continue;
    const field = channel === 'sms' || channel === 'whatsapp' ? 'phone_number' : 'email';
    if ((field === 'email' ? email : phone) === null) {
      return invalid(
        `${pointer}/attributes/${field}`,
        `'${field}' must not be empty when the ${channel} channel is included in 'subscriptions'.`,
      );
    }
  }
  if (email !== null && !isEmail(email)) {
    return invalid(`${pointer}/attributes/email`, 'Invalid email address');
  }
  return undefined;
}

/** Without an address, an anonymous id can be subscribed and a known token can be unsubscribed. */
function isPushable(row: ConsentRow, consent: WrittenConsent): boolean {
  const { profileId, email, phone, anonymousId, tokens } = row;
  if (profileId !== null || email !== null || phone !== null) return true;
  return consent === 'SUBSCRIBED' ? anonymousId !== null : tokens.length > 0;
}
