import type { OptInProcess } from '../contracts/channels.js';
import type { Outcome, Reason } from '../contracts/outcomes.js';
import type { ProfileConsent } from '../klaviyo/index.js';
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
  if (part.channel === 'list') return isMember ? { outcome: 'list_only', reason: null } : null;
  const consent =
    part.channel === 'email' ? profile?.emailMarketing?.consent : profile?.smsMarketing?.consent;
  if (part.action === 'unsubscribe') return consent === 'UNSUBSCRIBED' ? CONFIRMED : null;
  if (consent === 'SUBSCRIBED') return CONFIRMED;
  // The guard let only people through who had not opted out: this one did since.
  return consent === 'UNSUBSCRIBED'
    ? { outcome: 'skipped_opted_out', reason: 'opted_out_during_run' }
    : null;
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
  if (part.channel === 'sms' && deadline.partialFailure?.includes('phone_number') === true) {
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

function waitsForClick(part: Pick<WaitingPart, 'channel' | 'action'>, deadline: Deadline): boolean {
  return (
    part.action === 'subscribe' &&
    part.channel !== 'list' &&
    deadline.optInProcess === 'double_opt_in' &&
    !deadline.historicalImport
  );
}
