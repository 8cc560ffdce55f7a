import { isConsentChannel } from '../../contracts/channels.js';
import { CALL_LIMITS } from '../../contracts/limits.js';
import type { MigrationSettings } from '../../contracts/migration.js';
import type { SubscribeRequest } from '../../klaviyo/index.js';
import { consentOf } from '../../klaviyo/profiles/profile-consent.js';
import { hasLeft, optOutOf, whyNot } from '../opt-outs.js';
import { profilesFor, type Known } from '../person.js';
import type { Entry } from './entries.js';
import { CONFIRMED, SEND, type OperationRecord } from './operation.js';

/** Consent to a channel, and membership of the run's list with it. */
export const subscribe: OperationRecord = {
  name: 'subscribe',
  label: 'subscribe',
  undo: { column: 'consent', cell: 'unsubscribed' },
  list: ({ listId }) => listId,
  endpoint: 'bulk_subscribe_profiles',
  callSize: CALL_LIMITS.subscribe,
  bringsIn: true,
  optsOut: false,
  givesConsent: true,
  // A second subscribe may mail the person again.
  repeatable: () => false,
  events: [
    { channel: 'email', names: ['Subscribed to Email Marketing'] },
    { channel: 'sms', names: ['Subscribed to SMS Marketing', 'Consented to Receive SMS'] },
  ],
  leaves: null,
  shows: 'SUBSCRIBED',
  settlesWithin: 'confirmWithinMs',
  offList: () => null,
  guard(channel, known, run) {
    const reason = whyNot(channel, known, run);
    if (reason !== null) return { send: false, outcome: 'skipped_opted_out', reason };
    if (run.existingOnly === true && isNobody(known)) {
      return { send: false, outcome: 'rejected', reason: 'not_in_klaviyo' };
    }
    if (!isConsentChannel(channel)) return SEND;
    const profiles = profilesFor(channel, known.held);
    const subscribed =
      profiles.length > 0 &&
      profiles.every((profile) => consentOf(profile, channel)?.consent === 'SUBSCRIBED');
    return subscribed ? { send: false, outcome: 'already_consented', reason: null } : SEND;
  },
  // An opt-out proves nothing yet: Klaviyo may still apply the subscribe over it.
  prove(channel, { profiles, isMember, listId }) {
    if (!isConsentChannel(channel))
      return isMember === true ? { outcome: 'list_only', reason: null } : null;
    if (optOutOf(channel, profiles, null) !== null) return null;
    if (channel === 'email' && profiles.some((profile) => hasLeft(profile, listId))) return null;
    return profiles.some((profile) => consentOf(profile, channel)?.consent === 'SUBSCRIBED')
      ? CONFIRMED
      : null;
  },
  // Events of back-dated consent carry its date. What such a run has open at its deadline is looked
  // up then.
  lookUp({ events, members, historicalImport }) {
    if (historicalImport) return members ? 'never' : 'patient';
    return events || members ? 'late' : 'soon';
  },
  lacks: () => null,
  async send(klaviyo, entries, settings, options) {
    const { partialFailure, requestId } = await klaviyo.subscribeProfiles(
      subscribeRequest(entries, settings),
      options,
    );
    return { partialFailure, requestId };
  },
};

/** Klaviyo has no profile of the row's address, nor of its number. */
function isNobody({ held }: Known): boolean {
  return held.byEmail.length === 0 && held.byPhone.length === 0;
}

export function subscribeRequest(
  entries: readonly Entry[],
  settings: MigrationSettings,
): SubscribeRequest {
  return {
    listId: settings.listId,
    customSource: settings.customSource,
    historicalImport: settings.historicalImport,
    profiles: entries.map(({ email, phoneNumber, dateOfBirth, pushToken, parts }) => ({
      email,
      phoneNumber,
      dateOfBirth,
      pushToken,
      channels: Object.fromEntries(
        parts.map((part) => [
          part.channel,
          // A live subscribe carries no date: Klaviyo stamps it, or refuses the request.
          { consentedAt: settings.historicalImport ? part.consentedAt : null },
        ]),
      ),
    })),
  };
}
