import {
  isPhoneChannel,
  isTextChannel,
  TEXT_CHANNELS,
  type Channel,
  type ConsentChannel,
} from '../contracts/channels.js';
import type { Outcome, Reason } from '../contracts/outcomes.js';
import { consentOf, type ProfileConsent } from '../klaviyo/index.js';
import type { OpenPart, OpenRow } from '../ledger/index.js';

/** The profiles that Klaviyo has for a row's identifiers; null where it has none. */
export interface Held {
  readonly byEmail: ProfileConsent | null;
  readonly byPhone: ProfileConsent | null;
}

/** `send`, or how the part ended without being sent. */
export type GuardVerdict =
  | { readonly send: true }
  | { readonly send: false; readonly outcome: Outcome; readonly reason: Reason | null };

const SEND: GuardVerdict = { send: true };
const skip = (reason: Reason): GuardVerdict => ({
  send: false,
  outcome: 'skipped_opted_out',
  reason,
});

/**
 * Decides whether a part may be sent, from what Klaviyo holds now. Subscribing removes UNSUBSCRIBE,
 * SPAM_COMPLAINT and USER_SUPPRESSED, so whoever has one of them is never subscribed; what can't
 * be read as a known consent state counts as an opt-out.
 *
 * @param listId the run's list: an opt-out of just this list counts too
 */
export function guardPart(part: OpenPart, held: Held, listId: string | null): GuardVerdict {
  const { channel, action } = part;
  if (channel === 'list') return guardMembership(held, listId);
  const profile = heldFor(channel, held);
  if (action === 'suppress') return guardSuppression(profile);
  if (action === 'unsubscribe') return guardOptOut(channel, profile);
  const optOut = optOutOf(channel, profile, listId);
  if (optOut !== null) return skip(optOut);
  return consentOf(profile, channel)?.consent === 'SUBSCRIBED'
    ? { send: false, outcome: 'already_consented', reason: null }
    : SEND;
}

/** The profile whose consent of this channel counts: that of the identifier the channel hangs on. */
export function heldFor(
  channel: ConsentChannel,
  { byEmail, byPhone }: Held,
): ProfileConsent | null {
  if (channel === 'push') return byEmail ?? byPhone;
  return isPhoneChannel(channel) ? byPhone : byEmail;
}

/** Why this profile must not be subscribed to the channel; null where nothing forbids it. */
function optOutOf(
  channel: ConsentChannel,
  profile: ProfileConsent | null,
  listId: string | null,
): Reason | null {
  if (channel === 'email') return emailOptOut(profile, listId);
  // SMS has no suppressions; an opt-out of marketing or transactional is one of both.
  const kinds = isTextChannel(channel) ? TEXT_CHANNELS : [channel];
  const states = kinds.map((kind) => consentOf(profile, kind)?.consent);
  if (states.includes('UNSUBSCRIBED')) return 'opted_out_before_run';
  return states.includes('unknown') ? 'consent_state_unknown' : null;
}

/** A membership gives no consent, but a list of people who said no is a mailing accident waiting. */
export function guardMembership({ byEmail, byPhone }: Held, listId: string | null): GuardVerdict {
  const optOut = emailOptOut(byEmail ?? byPhone, listId);
  return optOut === null ? SEND : skip(optOut);
}

function guardOptOut(channel: ConsentChannel, profile: ProfileConsent | null): GuardVerdict {
  return consentOf(profile, channel)?.consent === 'UNSUBSCRIBED'
    ? { send: false, outcome: 'confirmed', reason: 'already_opted_out' }
    : SEND;
}

/** Whoever has a suppression gets no mail: nothing is left to do. */
function guardSuppression(profile: ProfileConsent | null): GuardVerdict {
  return (profile?.emailMarketing?.suppressions.length ?? 0) > 0
    ? { send: false, outcome: 'confirmed', reason: 'already_suppressed' }
    : SEND;
}

/** Why this profile must not be subscribed to e-mail marketing; null where nothing forbids it. */
export function emailOptOut(profile: ProfileConsent | null, listId: string | null): Reason | null {
  const email = profile?.emailMarketing;
  if (email === null || email === undefined) return null;
  const reasons = new Set(email.suppressions.map((suppression) => suppression.reason));
  if (reasons.has('SPAM_COMPLAINT')) return 'spam_complaint';
  if (reasons.has('UNSUBSCRIBE') || email.consent === 'UNSUBSCRIBED') return 'opted_out_before_run';
  if (reasons.has('USER_SUPPRESSED')) return 'suppressed';
  if (reasons.has('HARD_BOUNCE') || reasons.has('INVALID_EMAIL')) return 'hard_bounce';
  if (reasons.size > 0 || email.consent === 'unknown') return 'consent_state_unknown';
  if (email.listSuppressions.some((suppression) => suppression.listId === listId)) {
    return 'opted_out_before_run';
  }
  return null;
}

/**
 * Whether e-mail and phone of a row may go to Klaviyo as one profile. Not when they are two people
 * there, since Klaviyo may merge them, nor when the profile of the e-mail has another number,
 * whose SMS consent the change of number would end.
 */
export function mayBeOneProfile(row: OpenRow, { byEmail, byPhone }: Held): boolean {
  if (byEmail !== null && byPhone !== null) return byEmail.id === byPhone.id;
  if (byEmail !== null) return byEmail.phoneNumber === null;
  if (byPhone !== null) return byPhone.email === null || byPhone.email.toLowerCase() === row.email;
  return true;
}

/** The consent before the run of one channel, for the ledger. */
export function consentBefore(
  channel: Channel,
  held: Held,
): { consent: string | null; at: string | null } {
  const before =
    channel === 'list'
      ? (held.byEmail ?? held.byPhone)?.emailMarketing
      : consentOf(heldFor(channel, held), channel);
  return { consent: before?.consent ?? null, at: before?.consentedAt ?? null };
}
