import type { ConsentKey } from '../../store/channel.js';
import { identifier, isEmail, isObject, rowPointer, type Json } from '../body.js';
import { invalid, missing, type ErrorEntry } from '../errors.js';

/** Write side of the API: channel and message type, and the name that the read side gives them. */
const WRITTEN: Readonly<Record<string, Readonly<Record<string, ConsentKey>>>> = {
  email: { marketing: 'email.marketing', open_tracking: 'email.open_tracking' },
  sms: { marketing: 'sms.marketing', transactional: 'sms.transactional' },
  whatsapp: {
    marketing: 'whatsapp.marketing',
    transactional: 'whatsapp.transactional',
    conversational: 'whatsapp.conversational',
  },
  push: { marketing: 'mobile_push.marketing' },
};
const ONLY_UNSUBSCRIBED = 'conversational';
/** Members of a channel that are no message type. */
const BESIDE = new Set(['tokens', 'anonymous_id']);

export interface AskedConsent {
  key: ConsentKey;
  channel: string;
  /** Pointer of the message type, without a slash at the end. */
  pointer: string;
  /** As sent; undefined where absent or null. */
  consentedAt: unknown;
}

/** One row of a subscribe or unsubscribe call, well formed but not yet checked against the account. */
export interface ConsentRow {
  pointer: string;
  profileId: string | null;
  email: string | null;
  phone: string | null;
  dateOfBirth: unknown;
  asked: readonly AskedConsent[];
  channels: readonly string[];
}

/** Reads a row, or tells the first thing that is wrong with its form. */
export function consentRow(
  value: unknown,
  row: number,
  consent: 'SUBSCRIBED' | 'UNSUBSCRIBED',
): ConsentRow | ErrorEntry {
  const pointer = rowPointer(row);
  const attributes = isObject(value) ? value['attributes'] : undefined;
  if (!isObject(value) || value['type'] !== 'profile') {
    return invalid(`${pointer}/type`, "Each profile needs the type 'profile'.");
  }
  if (!isObject(attributes)) return missing(`${pointer}/attributes`, 'attributes', 'profile');
  const subscriptions = attributes['subscriptions'];
  const at = `${pointer}/attributes/subscriptions`;
  if (!isObject(subscriptions)) return missing(at, 'subscriptions', 'profile');
  const asked = askedConsents(subscriptions, at, consent);
  if (!Array.isArray(asked)) return asked;
  if (asked.length === 0)
    return invalid(at, "At least one channel is required in 'subscriptions'.");
  const read: ConsentRow = {
    pointer,
    profileId: identifier(value['id']),
    email: identifier(attributes['email'])?.toLowerCase() ?? null,
    phone: identifier(attributes['phone_number']),
    dateOfBirth: attributes['age_gated_date_of_birth'],
    asked,
    channels: [...new Set(asked.map(({ channel }) => channel))],
  };
  return missingIdentifier(read) ?? read;
}

export const isError = (row: ConsentRow | ErrorEntry): row is ErrorEntry => 'code' in row;

function askedConsents(
  subscriptions: Json,
  at: string,
  consent: string,
): AskedConsent[] | ErrorEntry {
  const asked: AskedConsent[] = [];
  for (const [channel, types] of Object.entries(subscriptions)) {
    const known = WRITTEN[channel];
    if (known === undefined) {
      return invalid(`${at}/${channel}`, `'${channel}' is not a valid field for 'subscriptions'.`);
    }
    if (types === null) continue;
    for (const [type, parameters] of Object.entries(isObject(types) ? types : {})) {
      if (parameters === null || BESIDE.has(type)) continue;
      const pointer = `${at}/${channel}/${type}`;
      const key = known[type];
      if (key === undefined || (type === ONLY_UNSUBSCRIBED && consent === 'SUBSCRIBED')) {
        return invalid(pointer, `'${type}' is not a valid field for '${channel}'.`);
      }
      const given = isObject(parameters) ? parameters['consent'] : undefined;
      if (given !== consent) {
        return invalid(`${pointer}/consent`, `'consent' must be '${consent}'.`);
      }
      const consentedAt = (parameters as Json)['consented_at'] ?? undefined;
      asked.push({ key, channel, pointer, consentedAt });
    }
  }
  return asked;
}

function missingIdentifier(row: ConsentRow): ErrorEntry | undefined {
  const { email, phone, channels, pointer } = row;
  // Recorded for sms; the other channels are assumed to speak the same way.
  for (const channel of channels) {
    const field = channel === 'email' ? 'email' : 'phone_number';
    const present = channel === 'email' ? email : channel === 'push' ? (email ?? phone) : phone;
    if (present === null) {
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
