import { foldEmail } from '../contracts/addresses.js';
import {
  isConsentChannel,
  isListChannel,
  isPhoneChannel,
  type Channel,
  type ConsentChannel,
} from '../contracts/channels.js';
import { consentOf, type ProfileConsent } from '../klaviyo/profiles/profile-consent.js';
import type { GivenToRow, OpenRow, OptOut } from '../ledger/index.js';

/**
 * The profiles that Klaviyo has for a row's identifiers: none, one, or several if an identifier
 * exists more than once or a profile was read more than once.
 */
export interface Held {
  readonly byEmail: readonly ProfileConsent[];
  readonly byPhone: readonly ProfileConsent[];
}

/** All that is known about a row's person at one time. */
export interface Known {
  readonly held: Held;
  /** Opt-outs of the row's identifiers that any run, feed or reading has recorded. */
  readonly optOuts: readonly OptOut[];
  /** A run asks to lift the suppression of the row's address, and may still change it. */
  readonly mayBeLifted?: boolean;
  /** What the row takes back, for runs that unsubscribe only from what their program gave. */
  readonly given?: GivenToRow | undefined;
}

/** The profiles whose consent for this channel counts: those with the channel's identifier. */
export function profilesFor(channel: Channel, { byEmail, byPhone }: Held): ProfileConsent[] {
  if (channel === 'push' || isListChannel(channel)) {
    return [...(byEmail.length > 0 ? byEmail : byPhone)];
  }
  return [...(isPhoneChannel(channel) ? byPhone : byEmail)];
}

/**
 * Whether e-mail and phone of a row may be sent to Klaviyo as one profile. Not if they are two
 * people there, since Klaviyo may merge them; nor if the profile of the e-mail has another number,
 * since changing the number would end its SMS consent; nor if an identifier exists more than once.
 */
export function mayBeOneProfile(row: OpenRow, { byEmail, byPhone }: Held): boolean {
  if (distinct(byEmail) > 1 || distinct(byPhone) > 1) return false;
  const [email] = byEmail;
  const [phone] = byPhone;
  if (email !== undefined && phone !== undefined) return email.id === phone.id;
  if (email !== undefined) return email.phoneNumber === null;
  if (phone !== undefined) return phone.email === null || foldEmail(phone.email) === row.email;
  return true;
}

function distinct(profiles: readonly ProfileConsent[]): number {
  return new Set(profiles.map(({ id }) => id)).size;
}

/** From the most restrictive state to the least. */
const STATES = ['UNSUBSCRIBED', 'unknown', 'NEVER_SUBSCRIBED', 'SUBSCRIBED'] as const;

/** The consent for one channel, for the ledger: of several profiles the most restrictive. */
export function consentHeld(
  channel: Channel,
  profiles: readonly ProfileConsent[],
): { readonly consent: string; readonly at: string | null } | null {
  const held = profiles.flatMap((profile) => consentOf(profile, consentChannelOf(channel)) ?? []);
  for (const state of STATES) {
    const found = held.find(({ consent }) => consent === state);
    if (found !== undefined) return { consent: found.consent, at: found.consentedAt };
  }
  return null;
}

/** A membership and a suppression have no consent of their own: the consent to e-mail counts. */
function consentChannelOf(channel: Channel): ConsentChannel {
  return isConsentChannel(channel) ? channel : 'email';
}
