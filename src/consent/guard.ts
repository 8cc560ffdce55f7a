import { foldEmail } from '../contracts/addresses.js';
import {
  isPhoneChannel,
  OPT_OUTS_OF,
  type Channel,
  type ConsentChannel,
} from '../contracts/channels.js';
import type { Outcome, Reason } from '../contracts/outcomes.js';
import {
  consentOf,
  isSuppressed,
  type ChannelConsent,
  type ProfileConsent,
} from '../klaviyo/profiles/profile-consent.js';
import type { OpenPart, OpenRow, OptOut } from '../ledger/index.js';

/**
 * The profiles that Klaviyo has for a row's identifiers: none, one, or several where it holds an
 * identifier more than once or a profile was read more than once.
 */
export interface Held {
  readonly byEmail: readonly ProfileConsent[];
  readonly byPhone: readonly ProfileConsent[];
}

/** All that is known of a row's person at one moment. */
export interface Known {
  readonly held: Held;
  /** Opt-outs of the row's identifiers that any run, feed or reading has noted. */
  readonly optOuts: readonly OptOut[];
}

/** The run, as far as the guard depends on it. */
export interface GuardedRun {
  /** An opt-out of just this list counts too. */
  readonly listId: string | null;
  readonly startedAt: Date;
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
 * Decides whether a part may be sent. Subscribing removes UNSUBSCRIBE, SPAM_COMPLAINT and
 * USER_SUPPRESSED, so whoever has one of them is never subscribed; what can't be read as a known
 * consent state counts as an opt-out; of several profiles the most restrictive counts; and who said
 * no to another run, or where a feed showed it, has said no although Klaviyo does not show it yet.
 */
export function guardPart(part: OpenPart, known: Known, run: GuardedRun): GuardVerdict {
  const { channel, action } = part;
  const profiles = profilesFor(channel, known.held);
  if (action === 'suppress') return guardSuppression(profiles);
  if (action === 'unsubscribe' && channel !== 'list') return guardOptOut(channel, profiles);
  const optOut =
    mostSevere([
      ...OPT_OUTS_OF[channel].map((by) => optOutOf(by, profiles, run.listId)),
      leftTheList(profiles.length > 0 ? profiles : known.held.byEmail, run.listId),
    ]) ?? noted(channel, profiles, known.optOuts, run);
  if (optOut !== null) return skip(optOut);
  if (channel === 'list') return SEND;
  const subscribed =
    profiles.length > 0 &&
    profiles.every((profile) => consentOf(profile, channel)?.consent === 'SUBSCRIBED');
  return subscribed ? { send: false, outcome: 'already_consented', reason: null } : SEND;
}

/** The profiles whose consent of this channel counts: those of the identifier the channel hangs on. */
export function profilesFor(channel: Channel, { byEmail, byPhone }: Held): ProfileConsent[] {
  if (channel === 'push' || channel === 'list') {
    return [...(byEmail.length > 0 ? byEmail : byPhone)];
  }
  return [...(isPhoneChannel(channel) ? byPhone : byEmail)];
}

/** Why nobody may be subscribed who has said this, the gravest first. */
const SEVERITY: readonly Reason[] = [
  'spam_complaint',
  'opted_out_before_run',
  'opted_out_during_run',
  'suppressed',
  'hard_bounce',
  'consent_state_unknown',
];

function mostSevere(reasons: readonly (Reason | null)[]): Reason | null {
  return SEVERITY.find((reason) => reasons.includes(reason)) ?? null;
}

/** Why none of these profiles may be subscribed to the channel; null where nothing forbids it. */
export function optOutOf(
  channel: ConsentChannel,
  profiles: readonly ProfileConsent[],
  listId: string | null,
): Reason | null {
  return mostSevere(
    profiles.map((profile) => {
      if (channel === 'email') return emailOptOut(profile, listId);
      const consent = consentOf(profile, channel)?.consent;
      if (consent === 'UNSUBSCRIBED') return 'opted_out_before_run';
      return consent === 'unknown' ? 'consent_state_unknown' : null;
    }),
  );
}

/**
 * Whether one of these profiles has left the list: a subscribe to any channel would put them back on
 * it, and mail to it would reach them again.
 */
function leftTheList(profiles: readonly ProfileConsent[], listId: string | null): Reason | null {
  if (listId === null) return null;
  if (profiles.some((profile) => hasLeft(profile, listId))) return 'opted_out_before_run';
  const isUntold = profiles.some(
    ({ email, emailMarketing }) => email !== null && emailMarketing?.listSuppressions === null,
  );
  return isUntold ? 'consent_state_unknown' : null;
}

/**
 * Opt-outs that the ledger knows of and Klaviyo does not show: a feed was quicker, another run has
 * just asked for it, or a reading was stale. Whoever was subscribed after that came back by themselves.
 */
function noted(
  channel: Channel,
  profiles: readonly ProfileConsent[],
  optOuts: readonly OptOut[],
  { listId, startedAt }: GuardedRun,
): Reason | null {
  const said = optOuts.filter(
    (optOut) =>
      (optOut.listId === null
        ? OPT_OUTS_OF[channel].includes(optOut.channel)
        : optOut.listId === listId && mayBeAbout(optOut, profiles)) &&
      !profiles.some((profile) =>
        isSubscribedSince(consentOf(profile, optOut.channel), Date.parse(optOut.at)),
      ),
  );
  if (said.length === 0) return null;
  return said.some(({ at }) => Date.parse(at) >= startedAt.getTime())
    ? 'opted_out_during_run'
    : 'opted_out_before_run';
}

/** An address that nobody has yet goes to the profile of the row's other one. */
function mayBeAbout({ identifier }: OptOut, profiles: readonly ProfileConsent[]): boolean {
  return (
    profiles.length === 0 ||
    profiles.some(
      ({ email, phoneNumber }) => foldEmail(email) === identifier || phoneNumber === identifier,
    )
  );
}

function isSubscribedSince(consent: ChannelConsent | null, at: number): boolean {
  if (consent?.consent !== 'SUBSCRIBED' || consent.consentedAt === null) return false;
  return Date.parse(consent.consentedAt) > at;
}

function guardOptOut(channel: ConsentChannel, profiles: readonly ProfileConsent[]): GuardVerdict {
  return isOut(channel, profiles)
    ? { send: false, outcome: 'confirmed', reason: 'already_opted_out' }
    : SEND;
}

/** Whether every profile of the person holds an opt-out of the channel. */
export function isOut(channel: ConsentChannel, profiles: readonly ProfileConsent[]): boolean {
  return (
    profiles.length > 0 &&
    profiles.every((profile) => consentOf(profile, channel)?.consent === 'UNSUBSCRIBED')
  );
}

/** Whoever has a suppression gets no mail: nothing is left to do. */
function guardSuppression(profiles: readonly ProfileConsent[]): GuardVerdict {
  return areSuppressed(profiles)
    ? { send: false, outcome: 'confirmed', reason: 'already_suppressed' }
    : SEND;
}

/** Whether every profile of the person is known to be suppressed. */
export function areSuppressed(profiles: readonly ProfileConsent[]): boolean {
  return profiles.length > 0 && profiles.every((profile) => isSuppressed(profile.emailMarketing));
}

/** Whether Klaviyo says that the profile left this list. */
export function hasLeft(profile: ProfileConsent | null, listId: string | null): boolean {
  const left = profile?.emailMarketing?.listSuppressions ?? [];
  return left.some((suppression) => suppression.listId === listId);
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
  if (hasLeft(profile, listId)) return 'opted_out_before_run';
  // Klaviyo lists them, if only as none: without them nobody knows who left this list.
  return listId !== null && email.listSuppressions === null ? 'consent_state_unknown' : null;
}

/**
 * Whether e-mail and phone of a row may go to Klaviyo as one profile. Not when they are two people
 * there, since Klaviyo may merge them, nor when the profile of the e-mail has another number,
 * whose SMS consent the change of number would end, nor where an identifier is held more than once.
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

/** From the strongest no to the strongest yes. */
const STATES = ['UNSUBSCRIBED', 'unknown', 'NEVER_SUBSCRIBED', 'SUBSCRIBED'] as const;

/** The consent of one channel, for the ledger: of several profiles the most restrictive. */
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

/** A membership has no consent of its own: what counts is that to e-mail. */
function consentChannelOf(channel: Channel): ConsentChannel {
  return channel === 'list' ? 'email' : channel;
}
