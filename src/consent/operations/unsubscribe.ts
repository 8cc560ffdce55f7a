import { isConsentChannel } from '../../contracts/channels.js';
import { CALL_LIMITS } from '../../contracts/limits.js';
import type { MigrationSettings } from '../../contracts/migration.js';
import type { UnsubscribeRequest } from '../../klaviyo/index.js';
import { whyNotOurs } from '../given.js';
import { isOut } from '../opt-outs.js';
import { profilesFor } from '../person.js';
import type { Entry } from './entries.js';
import { CONFIRMED, SEND, type OperationRecord } from './operation.js';

/** An opt-out of a channel: from everything, or from the run's list alone. */
export const unsubscribe: OperationRecord = {
  name: 'unsubscribe',
  label: 'opt out',
  undo: {
    column: null,
    words: 'unsubscribed by the run; only the person can give the consent again',
  },
  list: ({ listId }) => listId,
  endpoint: 'bulk_unsubscribe_profiles',
  callSize: CALL_LIMITS.unsubscribe,
  bringsIn: false,
  optsOut: true,
  givesConsent: false,
  // Of somebody whom the first call has just taken off the list, a second one would end everything.
  repeatable: ({ unsubscribeFrom }) => unsubscribeFrom !== 'list',
  events: [
    { channel: 'email', names: ['Unsubscribed from Email Marketing'] },
    { channel: 'sms', names: ['Unsubscribed from SMS Marketing', 'Unsubscribed from SMS'] },
  ],
  leaves: null,
  shows: 'UNSUBSCRIBED',
  settlesWithin: 'confirmWithinMs',
  // Klaviyo would unsubscribe people who are not on the list from everything.
  offList: ({ unsubscribeFrom }) =>
    unsubscribeFrom === 'list' ? { outcome: 'rejected', reason: 'not_on_list' } : null,
  guard(channel, { held, given }, { unsubscribeFrom, onlyGiven }) {
    // Whoever is out of everything may still be on the list.
    if (unsubscribeFrom === 'list' || !isConsentChannel(channel)) return SEND;
    const profiles = profilesFor(channel, held);
    if (isOut(channel, profiles)) {
      return { send: false, outcome: 'confirmed', reason: 'already_opted_out' };
    }
    if (onlyGiven === undefined) return SEND;
    const reason = whyNotOurs(channel, profiles, given?.get(channel));
    return reason === null ? SEND : { send: false, outcome: 'rejected', reason };
  },
  prove(channel, { profiles, isMember, unsubscribeFrom }) {
    if (!isConsentChannel(channel)) return null;
    if (unsubscribeFrom === 'list') return isMember === false ? CONFIRMED : null;
    return isOut(channel, profiles) ? CONFIRMED : null;
  },
  lookUp: ({ events, unsubscribeFrom }) =>
    events && unsubscribeFrom === 'everything' ? 'late' : 'soon',
  lacks: ({ unsubscribeFrom, listId }) =>
    unsubscribeFrom === 'list' && listId === null
      ? 'The run unsubscribes from its list, but has none: give --list.'
      : null,
  async send(klaviyo, entries, settings, options) {
    const request = unsubscribeRequest(entries, settings);
    const { requestId } = await klaviyo.unsubscribeProfiles(request, options);
    return { partialFailure: null, requestId };
  },
};

export function unsubscribeRequest(
  entries: readonly Entry[],
  { unsubscribeFrom, listId }: Pick<MigrationSettings, 'unsubscribeFrom' | 'listId'>,
): UnsubscribeRequest {
  return {
    listId: unsubscribeFrom === 'list' ? listId : null,
    profiles: entries.map(({ email, phoneNumber, parts }) => ({
      email,
      phoneNumber,
      channels: parts.flatMap(({ channel }) => (isConsentChannel(channel) ? [channel] : [])),
    })),
  };
}
