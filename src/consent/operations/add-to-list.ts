import { CALL_LIMITS } from '../../contracts/limits.js';
import type { MigrationSettings } from '../../contracts/migration.js';
import type { ImportRequest } from '../../klaviyo/index.js';
import { whyNot } from '../opt-outs.js';
import type { Entry } from './entries.js';
import { SEND, type OperationRecord } from './operation.js';

/** Membership of the run's list without any consent, by an import. */
export const addToList: OperationRecord = {
  name: 'add_to_list',
  label: 'added to the list only',
  undo: { column: 'list', cell: 'remove' },
  list: ({ listId }) => listId,
  endpoint: 'bulk_import_profiles',
  callSize: CALL_LIMITS.import,
  bringsIn: true,
  optsOut: false,
  givesConsent: false,
  repeatable: () => true,
  events: [],
  leaves: null,
  shows: 'SUBSCRIBED',
  settlesWithin: 'membershipWithinMs',
  offList: () => null,
  guard(channel, known, run) {
    const reason = whyNot(channel, known, run);
    return reason === null ? SEND : { send: false, outcome: 'skipped_opted_out', reason };
  },
  prove: (_channel, { isMember }) =>
    isMember === true ? { outcome: 'list_only', reason: null } : null,
  // A membership without consent causes no event.
  lookUp: ({ members }) => (members ? 'late' : 'soon'),
  lacks: ({ listId }) =>
    listId === null ? 'Rows ask for list membership, but the run has no list: give --list.' : null,
  async send(klaviyo, entries, settings, options) {
    const { jobId } = await klaviyo.importProfiles(importRequest(entries, settings), options);
    return { partialFailure: null, requestId: jobId };
  },
};

export function importRequest(
  entries: readonly Entry[],
  { listId }: Pick<MigrationSettings, 'listId'>,
): ImportRequest {
  if (listId === null) throw new RangeError('add_to_list needs a list');
  return {
    listId,
    // One identifier is enough to find or create the profile; a second could be somebody else's.
    profiles: entries.map(({ email, phoneNumber }) =>
      email === null ? { phoneNumber } : { email },
    ),
  };
}
