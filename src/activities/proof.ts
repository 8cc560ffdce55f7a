import { isPhoneChannel, type Channel, type OptInProcess } from '../contracts/channels.js';
import type { Outcome, Reason } from '../contracts/outcomes.js';
import { consentOf, type ProfileConsent } from '../klaviyo/index.js';
import type { WaitingPart } from '../ledger/index.js';

/** How a part ended; null while nothing read so far decides it. */
export type Verdict = { readonly outcome: Outcome; readonly reason: Reason | null } | null;

const CONFIRMED: Verdict = { outcome: 'confirmed', reason: null };

/**
 * What a profile that was read after the submit proves about a sent part.
 *
 * @param profile the profile of the part's identifier; null where Klaviyo has none
 * @param isMember whether it was read as a member of the run's list
 */
export function provePart(
  part: Pick<WaitingPart, 'channel' | 'action'>,
  profile: ProfileConsent | null,
  isMember: boolean,
): Verdict {
  const { channel, action } = part;
  if (channel === 'list') return isMember ? { outcome: 'list_only', reason: null } : null;
  if (action === 'suppress') {
    return (profile?.emailMarketing?.suppressions.length ?? 0) > 0 ? CONFIRMED : null;
  }
  const consent = consentOf(profile, channel)?.consent;
  if (action === 'unsubscribe') return consent === 'UNSUBSCRIBED' ? CONFIRMED : null;
  if (consent === 'SUBSCRIBED') return CONFIRMED;
  // The guard let only people through who had not opted out: this one did since.
  return consent === 'UNSUBSCRIBED'
    ? { outcome: 'skipped_opted_out', reason: 'opted_out_during_run' }
    : null;
}

/** The consent of a part as a profile shows it, to be kept with its outcome. */
export function readBack(
  channel: Channel,
  profile: ProfileConsent | null,
): { read?: { consent: string; at: string | null } } {
  const held = channel === 'list' ? profile?.emailMarketing : consentOf(profile, channel);
  return held ? { read: { consent: held.consent, at: held.consentedAt } } : {};
}

export interface Deadline {
  readonly optInProcess: OptInProcess | null;
  readonly historicalImport: boolean;
  /** `X-Klaviyo-Partial-Failure` of the submission that carried the part. */
  readonly partialFailure: string | null;
}

/**
 * How a part ends that no proof settled before the deadline: waiting for a click only where the
 * process has clicks, otherwise accepted and never seen.
 */
export function proveAtDeadline(
  part: Pick<WaitingPart, 'channel' | 'action'>,
  profile: ProfileConsent | null,
  isMember: boolean,
  deadline: Deadline,
): { readonly outcome: Outcome; readonly reason: Reason | null } {
  const proven = provePart(part, profile, isMember);
  if (proven !== null) return proven;
  if (isPhoneChannel(part.channel) && deadline.partialFailure?.includes('phone_number') === true) {
    // The header does not name its rows. No profile has this number after the e-mail went
    // through: it is one of them.
    if (profile === null && !waitsForClick(part, deadline)) {
      return { outcome: 'rejected', reason: 'phone_dropped_by_klaviyo' };
    }
  }
  return waitsForClick(part, deadline)
    ? { outcome: 'pending_double_opt_in', reason: 'no_click_yet' }
    : { outcome: 'unconfirmed', reason: 'not_seen_before_deadline' };
}

/** Whether Klaviyo asks the person for a click before the consent shows. */
export function waitsForClick(
  part: Pick<WaitingPart, 'channel' | 'action'>,
  deadline: Pick<Deadline, 'optInProcess' | 'historicalImport'>,
): boolean {
  return (
    part.action === 'subscribe' &&
    HAS_CLICKS.has(part.channel) &&
    deadline.optInProcess === 'double_opt_in' &&
    !deadline.historicalImport
  );
}

/** Channels whose double opt-in is known to send a message; of WhatsApp and push nobody says so. */
const HAS_CLICKS: ReadonlySet<Channel> = new Set(['email', 'sms', 'sms_transactional']);
