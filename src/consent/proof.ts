import {
  isConsentChannel,
  isPhoneChannel,
  type Channel,
  type OptInProcess,
} from '../contracts/channels.js';
import type { Outcome, Reason } from '../contracts/outcomes.js';
import { consentOf, type ProfileConsent } from '../klaviyo/profiles/profile-consent.js';
import type { Settlement, WaitingPart } from '../ledger/index.js';
import { OPERATIONS } from './operations/index.js';
import type { ReadAfter, Verdict } from './operations/operation.js';
import { optOutOf } from './opt-outs.js';
import { consentHeld } from './person.js';

/** What the reading after the submit proves about a part that was sent; null while it decides nothing. */
export function provePart(
  { operation, channel }: Pick<WaitingPart, 'channel' | 'operation'>,
  read: ReadAfter,
): Verdict {
  return OPERATIONS[operation].prove(channel, read);
}

/** The consent of a part as profiles show it, to be stored with its outcome. */
export function readBack(
  part: Pick<WaitingPart, 'channel' | 'operation'>,
  profiles: readonly ProfileConsent[],
  { outcome }: NonNullable<Verdict>,
): Pick<Settlement, 'read' | 'isOptOut'> {
  const { channel } = part;
  const { givesConsent, optsOut } = OPERATIONS[part.operation];
  const proving =
    outcome === 'confirmed' && givesConsent && isConsentChannel(channel)
      ? profiles.filter((profile) => consentOf(profile, channel)?.consent === 'SUBSCRIBED')
      : profiles;
  const { leaves } = OPERATIONS[part.operation];
  const held =
    consentHeld(channel, proving) ??
    // Of somebody who was read as off the list there is no profile among its members.
    (outcome === 'confirmed' && leaves !== null ? { consent: leaves, at: null } : null);
  return {
    ...(held === null ? {} : { read: held }),
    isOptOut: outcome === 'confirmed' && optsOut,
  };
}

export interface Deadline {
  readonly optInProcess: OptInProcess | null;
  readonly historicalImport: boolean;
  /** `X-Klaviyo-Partial-Failure` of the submission that carried the part. */
  readonly partialFailure: string | null;
}

/**
 * How a part ends that no proof settled before the deadline: waiting for a click if the process has
 * clicks, otherwise unconfirmed.
 */
export function proveAtDeadline(
  part: Pick<WaitingPart, 'channel' | 'operation'>,
  read: ReadAfter,
  deadline: Deadline,
): { readonly outcome: Outcome; readonly reason: Reason | null } {
  const proven = provePart(part, read);
  if (proven !== null) return proven;
  const { profiles, listId } = read;
  const optOut =
    OPERATIONS[part.operation].givesConsent && isConsentChannel(part.channel)
      ? optOutOf(part.channel, profiles, listId)
      : null;
  if (optOut !== null && optOut !== 'consent_state_unknown') {
    // The guard let only people through who had not opted out, so this person did so later.
    const reason = optOut === 'opted_out_before_run' ? 'opted_out_during_run' : optOut;
    return { outcome: 'skipped_opted_out', reason };
  }
  if (isPhoneChannel(part.channel) && deadline.partialFailure?.includes('phone_number') === true) {
    // The header does not name its rows. The e-mail was applied but no profile has this number, so
    // the row is one of them.
    if (profiles.length === 0 && !waitsForClick(part, deadline)) {
      return { outcome: 'rejected', reason: 'phone_dropped_by_klaviyo' };
    }
  }
  return waitsForClick(part, deadline)
    ? { outcome: 'pending_double_opt_in', reason: 'no_click_yet' }
    : { outcome: 'unconfirmed', reason: 'not_seen_before_deadline' };
}

/** Whether Klaviyo asks the person for a click before it shows the consent. */
export function waitsForClick(
  part: Pick<WaitingPart, 'channel' | 'operation'>,
  deadline: Pick<Deadline, 'optInProcess' | 'historicalImport'>,
): boolean {
  return (
    OPERATIONS[part.operation].givesConsent &&
    HAS_CLICKS.has(part.channel) &&
    deadline.optInProcess === 'double_opt_in' &&
    !deadline.historicalImport
  );
}

/**
 * Channels whose double opt-in is known to send a message; for WhatsApp and push it is not
 * documented.
 */
const HAS_CLICKS: ReadonlySet<Channel> = new Set(['email', 'sms', 'sms_transactional']);
