import { isPhoneChannel, type Channel, type OptInProcess } from '../contracts/channels.js';
import type { Outcome, Reason } from '../contracts/outcomes.js';
import { consentOf, type ProfileConsent } from '../klaviyo/profiles/profile-consent.js';
import type { Settlement, WaitingPart } from '../ledger/index.js';
import { areSuppressed, consentHeld, hasLeft, isOut, optOutOf } from './guard.js';

/** How a part ended; null while nothing read so far decides it. */
export type Verdict = { readonly outcome: Outcome; readonly reason: Reason | null } | null;

const CONFIRMED: Verdict = { outcome: 'confirmed', reason: null };

/**
 * What profiles that were read after the submit prove about a sent part. An opt-out proves nothing yet
 * about a subscribe: Klaviyo may apply it still, over the opt-out.
 *
 * @param profiles those of the part's identifier; none where Klaviyo has none
 * @param isMember whether it was read as a member of the run's list
 * @param listId the run's list
 */
export function provePart(
  part: Pick<WaitingPart, 'channel' | 'action'>,
  profiles: readonly ProfileConsent[],
  isMember: boolean,
  listId: string | null,
): Verdict {
  const { channel, action } = part;
  if (channel === 'list') return isMember ? { outcome: 'list_only', reason: null } : null;
  if (action === 'suppress') return areSuppressed(profiles) ? CONFIRMED : null;
  if (action === 'unsubscribe') return isOut(channel, profiles) ? CONFIRMED : null;
  if (optOutOf(channel, profiles, null) !== null) return null;
  if (channel === 'email' && profiles.some((profile) => hasLeft(profile, listId))) return null;
  return profiles.some((profile) => consentOf(profile, channel)?.consent === 'SUBSCRIBED')
    ? CONFIRMED
    : null;
}

/** The consent of a part as profiles show it, to be kept with its outcome. */
export function readBack(
  part: Pick<WaitingPart, 'channel' | 'action'>,
  profiles: readonly ProfileConsent[],
  { outcome }: NonNullable<Verdict>,
): Pick<Settlement, 'read' | 'isOptOut'> {
  const { channel } = part;
  const proving =
    outcome === 'confirmed' && part.action === 'subscribe' && channel !== 'list'
      ? profiles.filter((profile) => consentOf(profile, channel)?.consent === 'SUBSCRIBED')
      : profiles;
  const held = consentHeld(channel, proving);
  return {
    ...(held === null ? {} : { read: held }),
    isOptOut:
      outcome === 'confirmed' && (part.action === 'unsubscribe' || part.action === 'suppress'),
  };
}

export interface Deadline {
  readonly listId: string | null;
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
  profiles: readonly ProfileConsent[],
  isMember: boolean,
  deadline: Deadline,
): { readonly outcome: Outcome; readonly reason: Reason | null } {
  const proven = provePart(part, profiles, isMember, deadline.listId);
  if (proven !== null) return proven;
  const optOut =
    part.action === 'subscribe' && part.channel !== 'list'
      ? optOutOf(part.channel, profiles, deadline.listId)
      : null;
  if (optOut !== null && optOut !== 'consent_state_unknown') {
    // The guard let only people through who had not opted out: this one did since.
    const reason = optOut === 'opted_out_before_run' ? 'opted_out_during_run' : optOut;
    return { outcome: 'skipped_opted_out', reason };
  }
  if (isPhoneChannel(part.channel) && deadline.partialFailure?.includes('phone_number') === true) {
    // The header does not name its rows. No profile has this number after the e-mail went
    // through: it is one of them.
    if (profiles.length === 0 && !waitsForClick(part, deadline)) {
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
