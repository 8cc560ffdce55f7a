import { foldEmail } from '../contracts/addresses.js';
import { OPT_OUTS_OF, type Channel, type ConsentChannel } from '../contracts/channels.js';
import type { MigrationSettings } from '../contracts/migration.js';
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
  /** An opt-out of only this list counts too. */
  readonly listId: string | null;
  /** An opt-out of the list that people are moved from counts as one of the list that they are moved to. */
  readonly moveFrom: string | null;
  readonly startedAt: Date;
  readonly unsubscribeFrom: MigrationSettings['unsubscribeFrom'];
  readonly onlyGiven?: MigrationSettings['onlyGiven'];
  readonly existingOnly?: MigrationSettings['existingOnly'];
}

/**
 * Why a person may not be subscribed to a channel, from all that is known about them: the most
 * serious reason; null if nothing forbids it. Subscribing removes UNSUBSCRIBE, SPAM_COMPLAINT and
 * USER_SUPPRESSED, so a person with one of them is never subscribed. An unknown consent state
 * counts as an opt-out. Of several profiles the most restrictive counts. An opt-out from another
 * run or from a feed counts although Klaviyo does not show it yet.
 */
export function whyNot(channel: Channel, known: Known, run: GuardedRun): Reason | null {
  const profiles = profilesFor(channel, known.held);
  const who = profiles.length > 0 ? profiles : known.held.byEmail;
  return (
    mostSevere([
      ...OPT_OUTS_OF[channel].map((by) => optOutOf(by, profiles, run.listId)),
      leftTheList(who, run.listId),
      leftTheList(who, run.moveFrom),
    ]) ?? noted(channel, profiles, known.optOuts, run)
  );
}

/** Reasons that forbid a subscribe, the most serious first. */
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

/** Why none of these profiles may be subscribed to the channel; null if nothing forbids it. */
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
 * Whether one of these profiles has left the list: a subscribe to any channel would add them to it
 * again, and mail to the list would reach them again.
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
 * Opt-outs that the ledger knows but Klaviyo does not show: a feed was faster, another run has just
 * sent it, or a reading was stale. A person who was subscribed after that came back by themselves.
 */
function noted(
  channel: Channel,
  profiles: readonly ProfileConsent[],
  optOuts: readonly OptOut[],
  { listId, moveFrom, startedAt }: GuardedRun,
): Reason | null {
  const said = optOuts.filter(
    (optOut) =>
      (optOut.listId === null
        ? OPT_OUTS_OF[channel].includes(optOut.channel)
        : (optOut.listId === listId || optOut.listId === moveFrom) &&
          mayBeAbout(optOut, profiles)) &&
      !profiles.some((profile) =>
        isSubscribedSince(consentOf(profile, optOut.channel), Date.parse(optOut.at)),
      ),
  );
  if (said.length === 0) return null;
  return said.some(({ at }) => Date.parse(at) >= startedAt.getTime())
    ? 'opted_out_during_run'
    : 'opted_out_before_run';
}

/** An identifier without a profile will be added to the profile of the row's other identifier. */
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

/** Whether every profile of the person has an opt-out of the channel. */
export function isOut(channel: ConsentChannel, profiles: readonly ProfileConsent[]): boolean {
  return (
    profiles.length > 0 &&
    profiles.every((profile) => consentOf(profile, channel)?.consent === 'UNSUBSCRIBED')
  );
}

/** Whether all profiles of the person are known to be suppressed. */
export function areSuppressed(profiles: readonly ProfileConsent[]): boolean {
  return profiles.length > 0 && profiles.every((profile) => isSuppressed(profile.emailMarketing));
}

/** Whether nothing is left of the profile's suppression once the one by hand is lifted. */
export function isSuppressedByHandAlone({ emailMarketing }: ProfileConsent): boolean {
  return (emailMarketing?.suppressions ?? []).every(({ reason }) => reason === 'USER_SUPPRESSED');
}

/** Whether Klaviyo says that the profile left this list. */
export function hasLeft(profile: ProfileConsent | null, listId: string | null): boolean {
  const left = profile?.emailMarketing?.listSuppressions ?? [];
  return left.some((suppression) => suppression.listId === listId);
}

/** Why this profile must not be subscribed to e-mail marketing; null if nothing forbids it. */
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
  // Klaviyo always lists them, even if empty: without them it is unknown who left this list.
  return listId !== null && email.listSuppressions === null ? 'consent_state_unknown' : null;
}
