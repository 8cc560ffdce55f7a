import { TRACKING_KEYS, type ConsentKey } from '../../store/channel.js';
import { isObject, type Json } from '../http/body.js';
import { invalid, missing, type ErrorEntry } from '../http/errors.js';
import type { NewPushToken } from '../../account/consent/subscribe-row.js';
import type { Forms } from '../revisions/forms.js';
import { pushTokens } from './push-tokens.js';

/** Channel and message type as written through the API, and their name when read. */
const WRITTEN: Readonly<Record<string, Readonly<Record<string, ConsentKey>>>> = {
  email: {
    marketing: 'email.marketing',
    open_tracking: 'email.open_tracking',
    click_tracking: 'email.click_tracking',
  },
  sms: { marketing: 'sms.marketing', transactional: 'sms.transactional' },
  whatsapp: {
    marketing: 'whatsapp.marketing',
    transactional: 'whatsapp.transactional',
    conversational: 'whatsapp.conversational',
  },
  push: { marketing: 'mobile_push.marketing' },
};
/** Can be removed, but not given. */
const ONLY_UNSUBSCRIBED = 'conversational';

export type WrittenConsent = 'SUBSCRIBED' | 'UNSUBSCRIBED';

export interface AskedConsent {
  key: ConsentKey;
  channel: string;
  /** Pointer of the message type, without a trailing slash. */
  pointer: string;
  /** As sent; undefined if absent or null. */
  consentedAt: unknown;
}

/** The content of `subscriptions` in one row. */
export interface Asked {
  consents: readonly AskedConsent[];
  tokens: readonly NewPushToken[];
  /** For a person with neither e-mail nor phone, who can only get push messages. */
  anonymousId: string | null;
}

/** Reads `subscriptions`, or returns the first error in its form. */
export function askedOf(
  subscriptions: Json,
  at: string,
  consent: WrittenConsent,
  forms: Forms,
): Asked | ErrorEntry {
  const consents: AskedConsent[] = [];
  let push: Omit<Asked, 'consents'> = { tokens: [], anonymousId: null };
  for (const [channel, types] of Object.entries(subscriptions)) {
    const known = WRITTEN[channel];
    const pointer = `${at}/${channel}`;
    if (known === undefined) return notAField(pointer, channel, 'subscriptions');
    if (types === null) continue;
    if (!isObject(types)) return invalid(pointer, 'Not a valid object.');
    const { tokens, anonymous_id: anonymousId, ...others } = types;
    const read = askedTypes(channel === 'push' ? others : types, channel, pointer, consent, forms);
    if (!Array.isArray(read)) return read;
    consents.push(...read);
    if (channel !== 'push') continue;
    const wrong = pushEntry(types, pointer, consent);
    if (wrong !== undefined) return wrong;
    const given = pushTokens(tokens, `${pointer}/tokens`);
    if (!Array.isArray(given)) return given;
    push = { tokens: given, anonymousId: typeof anonymousId === 'string' ? anonymousId : null };
  }
  if (consents.length === 0) {
    return invalid(at, "At least one channel is required in 'subscriptions'.");
  }
  return { consents, ...push };
}

function askedTypes(
  types: Json,
  channel: string,
  at: string,
  consent: WrittenConsent,
  forms: Forms,
): AskedConsent[] | ErrorEntry {
  const asked: AskedConsent[] = [];
  for (const [type, parameters] of Object.entries(types)) {
    const pointer = `${at}/${type}`;
    const key = WRITTEN[channel]![type];
    const isKnown =
      !(type === ONLY_UNSUBSCRIBED && consent === 'SUBSCRIBED') &&
      (key !== 'email.click_tracking' || forms.clickTrackingIsWritten);
    if (key === undefined || !isKnown) {
      return notAField(pointer, type, channel);
    }
    if (parameters === null) continue;
    if (!isObject(parameters)) return invalid(pointer, 'Not a valid object.');
    const { consent: given, consented_at: consentedAt, ...rest } = parameters;
    if (given !== consent) return invalid(`${pointer}/consent`, `'consent' must be '${consent}'.`);
    const unknown = Object.keys(rest)[0];
    if (unknown !== undefined) return notAField(`${pointer}/${unknown}`, unknown, type);
    // Opt-outs are always as of now, and tracking has no date of its own.
    const isDated = consent === 'SUBSCRIBED' && !TRACKING_KEYS.includes(key);
    if ('consented_at' in parameters && !isDated) {
      return notAField(`${pointer}/consented_at`, 'consented_at', type);
    }
    asked.push({ key, channel, pointer, consentedAt: consentedAt ?? undefined });
  }
  return asked;
}

/** Push needs its message type, and an opt-out from push needs the tokens to remove. */
function pushEntry(types: Json, at: string, consent: WrittenConsent): ErrorEntry | undefined {
  const { marketing, tokens, anonymous_id: anonymousId } = types;
  if (!isObject(marketing)) return missing(`${at}/marketing`, 'marketing', 'push');
  if (consent === 'UNSUBSCRIBED') {
    if ('anonymous_id' in types) return notAField(`${at}/anonymous_id`, 'anonymous_id', 'push');
    return Array.isArray(tokens) ? undefined : missing(`${at}/tokens`, 'tokens', 'push');
  }
  return anonymousId === undefined || anonymousId === null || typeof anonymousId === 'string'
    ? undefined
    : invalid(`${at}/anonymous_id`, 'Not a valid string.');
}

/**
 * Recorded for unknown fields of a profile; the inner objects are assumed to use the same wording.
 */
function notAField(pointer: string, field: string, of: string): ErrorEntry {
  return invalid(pointer, `'${field}' is not a valid field for '${of}'.`);
}
