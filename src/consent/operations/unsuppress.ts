import { CALL_LIMITS } from '../../contracts/limits.js';
import type { ProfileConsent, SuppressionReason } from '../../klaviyo/profiles/profile-consent.js';
import { profilesFor } from '../person.js';
import { CONFIRMED, SEND, type GuardVerdict, type OperationRecord } from './operation.js';

/**
 * Lifts a suppression by hand. It gives no consent and takes none: whoever unsubscribed stays
 * unsubscribed, and Klaviyo lifts no other suppression.
 */
export const unsuppress: OperationRecord = {
  name: 'unsuppress',
  label: 'lift suppression',
  undo: { column: 'suppressed', cell: 'yes' },
  list: ({ listId }) => listId,
  endpoint: 'bulk_unsuppress_profiles',
  callSize: CALL_LIMITS.suppress,
  bringsIn: false,
  optsOut: false,
  givesConsent: false,
  repeatable: () => true,
  events: [],
  leaves: 'NOT_SUPPRESSED',
  shows: 'SUBSCRIBED',
  settlesWithin: 'suppressionWithinMs',
  offList: () => null,
  guard(channel, { held }, { startedAt }) {
    const suppressions = suppressionsOf(profilesFor(channel, held));
    const byHand = suppressions.filter(({ reason }) => reason === 'USER_SUPPRESSED');
    if (byHand.length > 0) {
      // Whoever was suppressed after the run was asked for is not what it asked for.
      if (byHand.some(({ timestamp }) => !(Date.parse(timestamp ?? '') < startedAt.getTime()))) {
        return skipped('opted_out_during_run');
      }
      return SEND;
    }
    if (suppressions.some(({ reason }) => isUnclear(reason)))
      return skipped('consent_state_unknown');
    return suppressions.length === 0
      ? { send: false, outcome: 'confirmed', reason: 'not_suppressed' }
      : { send: false, outcome: 'rejected', reason: 'suppression_not_by_hand' };
  },
  prove: (_channel, { profiles }) =>
    profiles.length > 0 &&
    profiles.every(({ emailMarketing }) => emailMarketing !== null) &&
    !suppressionsOf(profiles).some(
      ({ reason }) => reason === 'USER_SUPPRESSED' || isUnclear(reason),
    )
      ? CONFIRMED
      : null,
  lookUp: () => 'soon',
  lacks: () => null,
  async send(klaviyo, entries, _settings, options) {
    const emails = entries.flatMap(({ email }) => email ?? []);
    const { jobId } = await klaviyo.unsuppressProfiles(emails, options);
    return { partialFailure: null, requestId: jobId };
  },
};

function suppressionsOf(profiles: readonly ProfileConsent[]) {
  return profiles.flatMap(({ emailMarketing }) => emailMarketing?.suppressions ?? []);
}

function isUnclear(reason: SuppressionReason): boolean {
  return reason === 'unknown' || reason === 'unstated';
}

function skipped(reason: 'opted_out_during_run' | 'consent_state_unknown'): GuardVerdict {
  return { send: false, outcome: 'skipped_opted_out', reason };
}
