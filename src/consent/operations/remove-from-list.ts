import { CALL_LIMITS } from '../../contracts/limits.js';
import { CONFIRMED, SEND, type OperationRecord } from './operation.js';

/**
 * Ends the membership of the run's list, or of the list that the run moves people from, and leaves
 * consent as it is.
 */
export const removeFromList: OperationRecord = {
  name: 'remove_from_list',
  label: 'remove from the list',
  undo: { column: 'list', cell: 'add' },
  list: ({ listId, moveFrom }) => moveFrom ?? listId,
  endpoint: 'remove_profiles_from_list',
  callSize: CALL_LIMITS.removeFromList,
  bringsIn: false,
  optsOut: false,
  givesConsent: false,
  repeatable: () => true,
  events: [],
  leaves: 'NOT_ON_LIST',
  shows: 'SUBSCRIBED',
  settlesWithin: 'confirmWithinMs',
  offList: () => ({ outcome: 'confirmed', reason: 'not_on_list' }),
  guard: () => SEND,
  prove: (_channel, { isMember }) => (isMember === false ? CONFIRMED : null),
  lookUp: () => 'soon',
  lacks: ({ listId }) =>
    listId === null ? 'Rows ask to leave the list, but the run has no list: give --list.' : null,
  async send(klaviyo, entries, settings, options) {
    const listId = removeFromList.list(settings);
    if (listId === null) throw new RangeError('remove_from_list needs a list');
    const profileIds = [...new Set(entries.flatMap(({ memberIds }) => memberIds))];
    const { requestId } = await klaviyo.removeFromList({ listId, profileIds }, options);
    return { partialFailure: null, requestId };
  },
};
