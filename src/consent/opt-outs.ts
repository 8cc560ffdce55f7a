import { foldEmail } from '../contracts/addresses.js';
import { OPT_OUTS_OF, type Channel, type ConsentChannel } from '../contracts/channels.js';
import type { Reason } from '../contracts/outcomes.js';
import {
  consentOf,
  isSuppressed,
  type ChannelConsent,
  type ProfileConsent,
} from '../klaviyo/profiles/profile-consent.js';
import type { OptOut } from '../ledger/index.js';
import { profilesFor, type Known } from './person.js';

/** The run, as far as the guard depends on it. */
export interface GuardedRun {
  /** An opt-out of just this list counts too. */
  readonly listId: string | null;
  readonly startedAt: Date;
}

/**
 * Why a person may not be taken into a channel, from all that is known of them: the gravest reason;
 * null where nothing forbids it. Subscribing removes UNSUBSCRIBE, SPAM_COMPLAINT and USER_SUPPRESSED, so
 * whoever has one of them is never subscribed; what can't be read as a known consent state counts as
 * an opt-out; of several profiles the most restrictive counts; and who said no to another run, or
 * where a feed showed it, has said no although Klaviyo does not show it yet.
 */
export function whyNot(channel: Channel, known: Known, run: GuardedRun): Reason | null {
  const profiles = profilesFor(channel, known.held);
  return (
    mostSevere([
      ...OPT_OUTS_OF[channel].map((by) => optOutOf(by, profiles, run.listId)),
      leftTheList(profiles.length > 0 ? profiles : known.held.byEmail, run.listId),
    ]) ?? noted(channel, profiles, known.optOuts, run)
  );
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

/** Whether every profile of the person holds an opt-out of the channel. */
export function isOut(channel: ConsentChannel, profiles: readonly ProfileConsent[]): boolean {
  return (
    profiles.length > 0 &&
    profiles.every((profile) => consentOf(profile, channel)?.consent === 'UNSUBSCRIBED')
  );
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
