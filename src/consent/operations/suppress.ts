import { CALL_LIMITS } from '../../contracts/limits.js';
import { whyNotOurs } from '../given.js';
import { areSuppressed, isOut, isSuppressedByHandAlone } from '../opt-outs.js';
import { profilesFor } from '../person.js';
import { CONFIRMED, SEND, type OperationRecord } from './operation.js';

/** Stops all mail to the address, whatever its consent. Klaviyo shows it after hours. */
export const suppress: OperationRecord = {
  name: 'suppress',
  label: 'suppress',
  undo: { column: 'suppressed', cell: 'lifted' },
  list: ({ listId }) => listId,
  endpoint: 'bulk_suppress_profiles',
  callSize: CALL_LIMITS.suppress,
  bringsIn: false,
  optsOut: true,
  givesConsent: false,
  repeatable: () => true,
  events: [],
  leaves: 'SUPPRESSED',
  shows: 'UNSUBSCRIBED',
  settlesWithin: 'suppressionWithinMs',
  offList: () => null,
  // A suppressed person gets no mail, so there is nothing left to do; unless a run is about to lift
  // the suppression that Klaviyo still shows.
  guard(channel, { held, given, mayBeLifted = false }, { onlyGiven }) {
    const profiles = profilesFor(channel, held);
    if (areSuppressed(profiles) && !(mayBeLifted && profiles.some(isSuppressedByHandAlone))) {
      return { send: false, outcome: 'confirmed', reason: 'already_suppressed' };
    }
    if (onlyGiven === undefined) return SEND;
    if (isOut('email', profiles)) {
      return { send: false, outcome: 'confirmed', reason: 'already_opted_out' };
    }
    // It takes back consent to e-mail.
    const reason = whyNotOurs('email', profiles, given?.get(channel));
    return reason === null ? SEND : { send: false, outcome: 'rejected', reason };
  },
  prove: (_channel, { profiles }) => (areSuppressed(profiles) ? CONFIRMED : null),
  lookUp: () => 'soon',
  lacks: () => null,
  async send(klaviyo, entries, _settings, options) {
    const emails = entries.flatMap(({ email }) => email ?? []);
    const { jobId } = await klaviyo.suppressProfiles(emails, options);
    return { partialFailure: null, requestId: jobId };
  },
};
