import { isConsentChannel, isTextChannel, type ConsentChannel } from '../contracts/channels.js';
import { consentOf, type ProfileConsent } from '../klaviyo/profiles/profile-consent.js';
import type { Repair } from '../ledger/index.js';
import { hasLeft, optOutOf } from './opt-outs.js';

/**
 * What to do about a person who opted out after a run had asked Klaviyo to subscribe them. `out`: nothing while
 * they stay out. `subscribed`: unsubscribe them. `came_back`: nothing any more, since they came
 * back by themselves.
 */
export type RepairVerdict = 'out' | 'subscribed' | 'came_back' | 'unknown';

/**
 * @param profiles with the channel's identifier
 * @param listId the run's list
 */
export function judgeRepair(
  { channel, optedOutAt }: Pick<Repair, 'channel' | 'optedOutAt'>,
  profiles: readonly ProfileConsent[],
  listId: string | null,
): RepairVerdict {
  const verdicts = profiles.map((profile): RepairVerdict => {
    if (!isConsentChannel(channel)) return judgeMembership(profile, listId);
    const consent = consentOf(profile, channel)?.consent ?? null;
    if (consent === 'unknown') return 'unknown';
    if (consent !== 'SUBSCRIBED') return 'out';
    // A suppression without a reason stops mail like any other.
    if (channel === 'email' && profile.emailMarketing?.canReceive === false) return 'out';
    const optOut = optOutOf(channel, [profile], listId);
    if (optOut !== null && optOut !== 'consent_state_unknown') return 'out';
    return saidYesSince(channel, profile, Date.parse(optedOutAt)) ? 'came_back' : 'subscribed';
  });
  const order: readonly RepairVerdict[] = ['subscribed', 'unknown', 'came_back'];
  return order.find((verdict) => verdicts.includes(verdict)) ?? 'out';
}

/**
 * A profile that left the list and no longer shows it is on the list again. Whether the person or
 * our call did that cannot be known, so the opt-out counts.
 */
function judgeMembership(profile: ProfileConsent, listId: string | null): RepairVerdict {
  const { email, emailMarketing } = profile;
  if (email === null || emailMarketing === null || emailMarketing.canReceive === false)
    return 'out';
  if (hasLeft(profile, listId) || emailMarketing.consent === 'UNSUBSCRIBED') return 'out';
  return emailMarketing.listSuppressions === null ? 'unknown' : 'subscribed';
}

/**
 * Whether the person certainly consented again by themselves after the opt-out: by the click of a
 * double opt-in, or elsewhere than through the API. In doubt it was a call, and the opt-out counts.
 */
function saidYesSince(
  channel: ConsentChannel,
  profile: ProfileConsent,
  optedOutAt: number,
): boolean {
  const consent = consentOf(profile, channel);
  if (consent?.consentedAt === undefined || consent.consentedAt === null) return false;
  if (Date.parse(consent.consentedAt) <= optedOutAt) return false;
  if (channel === 'email') {
    const { doubleOptIn = null, method = null } = profile.emailMarketing ?? {};
    return doubleOptIn === true || isByThemselves(method);
  }
  if (!isTextChannel(channel)) return false;
  const texts = channel === 'sms' ? profile.smsMarketing : profile.smsTransactional;
  return isByThemselves(texts?.method ?? null);
}

function isByThemselves(method: string | null): boolean {
  return method !== null && method !== '' && method.toUpperCase() !== 'API';
}

/**
 * The least wait between the first and the second unsubscribe of a person; it doubles with each
 * further one.
 */
const FIRST_REPEAT_MS = 1_000;

/**
 * What to do about a person who is read as subscribed. Unsubscribe them, at once and then after
 * waits that double, since Klaviyo may be slow to show it; or wait for that. Give up after
 * unsubscribing them for as long as Klaviyo is given to apply anything, if it has not shown it for
 * as long again.
 */
export function nextStep(
  {
    sentMsAgo,
    subscribedMsAgo,
    unsubscribedMsAgo,
  }: Pick<Repair, 'sentMsAgo' | 'subscribedMsAgo' | 'unsubscribedMsAgo'>,
  appliedWithinMs: number,
): 'take_out' | 'wait' | 'give_up' {
  if (unsubscribedMsAgo === null) return 'take_out';
  const triedForMs = Math.max(0, (subscribedMsAgo ?? 0) - unsubscribedMsAgo);
  if (triedForMs < appliedWithinMs) {
    return unsubscribedMsAgo >= Math.max(FIRST_REPEAT_MS, triedForMs) ? 'take_out' : 'wait';
  }
  const isLate = unsubscribedMsAgo >= appliedWithinMs && sentMsAgo >= 2 * appliedWithinMs;
  return isLate ? 'give_up' : 'wait';
}
