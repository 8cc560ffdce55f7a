import type { Channel, ConsentChannel } from '../../contracts/channels.js';
import { CALL_LIMITS } from '../../contracts/limits.js';
import type { UnsubscribeRequest } from '../../klaviyo/index.js';
import { isOut } from '../opt-outs.js';
import { profilesFor } from '../person.js';
import type { Entry } from './entries.js';
import { CONFIRMED, SEND, type OperationRecord } from './operation.js';

/** A global opt-out of a channel, not just of a list. */
export const unsubscribe: OperationRecord = {
  name: 'unsubscribe',
  label: 'opt out',
  undone: 'unsubscribed by the run',
  endpoint: 'bulk_unsubscribe_profiles',
  callSize: CALL_LIMITS.unsubscribe,
  takesOut: true,
  givesConsent: false,
  repeatable: true,
  events: [
    { channel: 'email', names: ['Unsubscribed from Email Marketing'] },
    { channel: 'sms', names: ['Unsubscribed from SMS Marketing', 'Unsubscribed from SMS'] },
  ],
  leaves: null,
  shows: 'UNSUBSCRIBED',
  settlesWithin: 'confirmWithinMs',
  guard: (channel, { held }) =>
    isConsent(channel) && isOut(channel, profilesFor(channel, held))
      ? { send: false, outcome: 'confirmed', reason: 'already_opted_out' }
      : SEND,
  prove: (channel, { profiles }) =>
    isConsent(channel) && isOut(channel, profiles) ? CONFIRMED : null,
  lookUp: ({ events }) => (events ? 'late' : 'soon'),
  lacks: () => null,
  async send(klaviyo, entries, _settings, options) {
    const { requestId } = await klaviyo.unsubscribeProfiles(unsubscribeRequest(entries), options);
    return { partialFailure: null, requestId };
  },
};

/** A membership is not consent, so it cannot be withdrawn and nothing asks for it. */
function isConsent(channel: Channel): channel is ConsentChannel {
  return channel !== 'list';
}

export function unsubscribeRequest(entries: readonly Entry[]): UnsubscribeRequest {
  return {
    // With a list, Klaviyo would globally unsubscribe those who are not on it. Without one it
    // unsubscribes everybody globally, which is the opt-out in the source.
    listId: null,
    profiles: entries.map(({ email, phoneNumber, parts }) => ({
      email,
      phoneNumber,
      channels: parts.flatMap(({ channel }) => (channel === 'list' ? [] : [channel])),
    })),
  };
}
