import type { Channel } from '../contracts/channels.js';
import type { Outcome, Reason } from '../contracts/outcomes.js';
import type { ProfileConsent } from '../klaviyo/index.js';
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
  if (part.action === 'unsubscribe') return guardOptOut(part.channel, held);
  switch (part.channel) {
    case 'email':
      return guardEmail(held.byEmail, listId);
    case 'sms':
      return guardSms(held.byPhone);
    case 'list':
      return guardMembership(held, listId);
  }
}

function guardEmail(profile: ProfileConsent | null, listId: string | null): GuardVerdict {
  const optOut = emailOptOut(profile, listId);
  if (optOut !== null) return skip(optOut);
  if (profile?.emailMarketing?.consent === 'SUBSCRIBED') {
    return { send: false, outcome: 'already_consented', reason: null };
  }
  return SEND;
}

function guardSms(profile: ProfileConsent | null): GuardVerdict {
  const optOut = smsOptOut(profile);
  if (optOut !== null) return skip(optOut);
  if (profile?.smsMarketing?.consent === 'SUBSCRIBED') {
    return { send: false, outcome: 'already_consented', reason: null };
  }
  return SEND;
}

/** A membership gives no consent, but a list of people who said no is a mailing accident waiting. */
function guardMembership({ byEmail, byPhone }: Held, listId: string | null): GuardVerdict {
  const optOut = emailOptOut(byEmail ?? byPhone, listId);
  return optOut === null ? SEND : skip(optOut);
}

function guardOptOut(channel: Channel, { byEmail, byPhone }: Held): GuardVerdict {
  const consent =
    channel === 'sms' ? byPhone?.smsMarketing?.consent : byEmail?.emailMarketing?.consent;
  return consent === 'UNSUBSCRIBED'
    ? { send: false, outcome: 'confirmed', reason: 'already_opted_out' }
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

/** SMS has no suppressions; an opt-out of marketing or transactional is one of both. */
function smsOptOut(profile: ProfileConsent | null): Reason | null {
  const states = [profile?.smsMarketing?.consent, profile?.smsTransactional?.consent];
  if (states.includes('UNSUBSCRIBED')) return 'opted_out_before_run';
  return states.includes('unknown') ? 'consent_state_unknown' : null;
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
  { byEmail, byPhone }: Held,
): { consent: string | null; at: string | null } {
  const held =
    channel === 'sms'
      ? byPhone?.smsMarketing
      : channel === 'email'
        ? byEmail?.emailMarketing
        : (byEmail ?? byPhone)?.emailMarketing;
  return { consent: held?.consent ?? null, at: held?.consentedAt ?? null };
}
