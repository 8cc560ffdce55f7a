import type { ReportedPart } from '../../../src/ledger/index.js';
import { LISTS } from '../play/account.js';
import type { AccountChronicle, Chronicle, RunChronicle } from '../chronicle.js';
import { isOut, type Timeline, type Word } from './timeline.js';
import { carriedBy, isOn, type Timelines } from './timelines.js';

/** From reading a person to the outcome in the ledger. */
const READ_BACK_WITHIN_MS = 4_000;

/** Why an outcome is not what the account was like when it was read; null where it is. */
export function untrue(
  chronicle: Chronicle,
  run: RunChronicle,
  part: ReportedPart,
  account: AccountChronicle,
  timelines: Timelines,
): string | null {
  const channel = part.channel === 'sms' ? 'sms' : 'email';
  const identifier = channel === 'sms' ? part.phoneNumber : (part.email?.toLowerCase() ?? null);
  const settledAt = part.settledAt?.getTime();
  if (identifier === null || settledAt === undefined) {
    return part.outcome === 'rejected' || part.outcome === 'cancelled' ? null : 'nobody is meant';
  }
  const timeline = timelines.of(run.spec.account, channel, identifier);
  const { slack } = chronicle;
  const lag = chronicle.scenario.readLagMs;
  const readBackAfter = settledAt - READ_BACK_WITHIN_MS * slack - lag;
  const states = timeline.during(readBackAfter, settledAt + 250 * slack);
  const carried = account.carried.filter(
    (line) =>
      line.custom_source === run.customSource &&
      carriedBy(line).some(([by, who]) => by === channel && who === identifier),
  );
  switch (part.outcome) {
    case 'confirmed':
      if (part.operation === 'suppress' || part.operation === 'unsubscribe') {
        const told = toldByEventAt(chronicle, part);
        const since = told === null ? states : timeline.during(told, settledAt);
        // Klaviyo shows with the consent to e-mail which lists somebody left.
        const isOff =
          run.spec.unsubscribesFromList &&
          (hasLeft(run, account, part, timelines) || !isOnList(run, account, identifier));
        return since.some(isOut) || isOff ? null : 'they were not out';
      }
      if (part.operation === 'unsuppress') {
        const isFree = states.some(({ suppressions }) => !suppressions.includes('USER_SUPPRESSED'));
        return isFree || states.length === 0 ? null : 'they were suppressed by hand';
      }
      if (part.operation === 'remove_from_list') {
        const isStillOn = isOnList(run, account, identifier);
        return isStillOn && !mayHaveJoined(chronicle, identifier) ? 'they are on the list' : null;
      }
      return states.some(({ consent }) => consent === 'SUBSCRIBED') ? null : 'no consent';
    case 'already_consented':
      return states.some(({ consent }) => consent === 'SUBSCRIBED') ? null : 'no consent';
    case 'list_only': {
      const { list } = run.spec;
      const wasOn = list !== null && account.after.some((line) => isOn(line, LISTS[list]));
      const left = list !== null && timeline.words.some(({ listId }) => listId === LISTS[list]);
      return wasOn || left ? null : 'they are not on the list';
    }
    case 'skipped_opted_out': {
      if (part.reason === 'consent_state_unknown') return null;
      // An opt-out by another run is known before Klaviyo shows it.
      const soon = timeline.during(readBackAfter, settledAt + 6_000 * slack);
      const isOff =
        soon.some(isOut) || saidBothInOneSecond(timeline) || hasLeft(run, account, part, timelines);
      return isOff || isAskedToLeave(chronicle, part) ? null : 'nobody said no';
    }
    case 'pending_double_opt_in':
    case 'unconfirmed': {
      if (part.outcome === 'unconfirmed' && part.channel === 'list') return null;
      if (part.operation !== 'subscribe') return null;
      const all = timeline.during(settledAt - 2_000 * slack - lag, settledAt);
      const { emailField } = chronicle.scenario.switches;
      const isHidden =
        chronicle.answersWereLost || run.phase !== 'done' || emailField === 'null_at_times';
      const wasIn = all.length > 0 && all.every(({ consent }) => consent === 'SUBSCRIBED');
      return wasIn && !isHidden ? 'they had consented for seconds' : null;
    }
    case 'cancelled':
      return carried.length > 0 && !isAskedTwice(run, part) ? 'it was sent' : null;
    case 'rejected':
    case null:
      return null;
  }
}

/**
 * When an event says that somebody was taken out, by our clock; null where something else does. It may be
 * read long after, and say what was done, whatever the person said since.
 */
function toldByEventAt({ scenario }: Chronicle, part: ReportedPart): number | null {
  if (part.settledBy !== 'events' || part.consentAfterAt === null) return null;
  return part.consentAfterAt.getTime() - scenario.clockAheadMs;
}

/** Events are dated to the second, and of a no and a yes in one second the no counts. */
function saidBothInOneSecond({ words }: Timeline): boolean {
  const secondOf = ({ at }: Word) => Math.floor(at / 1_000);
  return words.some(
    (no) =>
      no.says === 'no' &&
      words.some((yes) => yes.says === 'yes' && yes.at >= no.at && secondOf(yes) === secondOf(no)),
  );
}

/** Whoever leaves the run's list, at whatever time, is sent nothing with it, texts included. */
function hasLeft(
  { spec }: RunChronicle,
  account: AccountChronicle,
  { email, phoneNumber }: ReportedPart,
  timelines: Timelines,
): boolean {
  if (spec.list === null) return false;
  const listId = LISTS[spec.list];
  return account.people
    .filter((who) => who.email === email?.toLowerCase() || who.phone === phoneNumber)
    .some((who) =>
      timelines
        .of(spec.account, 'email', who.email)
        .during(-Infinity, Infinity)
        .some(({ listSuppressions }) => listSuppressions.includes(listId)),
    );
}

/** Another row of the run asks the same, so that what was sent may be its. */
function isAskedTwice({ parts }: RunChronicle, part: ReportedPart): boolean {
  return parts.some(
    ({ rowNumber, channel, email, phoneNumber, outcome }) =>
      rowNumber !== part.rowNumber &&
      channel === part.channel &&
      email === part.email &&
      phoneNumber === part.phoneNumber &&
      outcome !== 'rejected',
  );
}

/** A run has asked to take the person out, whatever became of that. */
function isAskedToLeave({ runs }: Chronicle, { email, phoneNumber }: ReportedPart): boolean {
  return runs.some(({ parts }) =>
    parts.some(
      (part) =>
        part.sent &&
        (part.operation === 'unsubscribe' || part.operation === 'suppress') &&
        ((email !== null && part.email === email) ||
          (phoneNumber !== null && part.phoneNumber === phoneNumber)),
    ),
  );
}

/** Whether something may have put the person on a list again: a form, or another run. */
function mayHaveJoined({ runs, scenario }: Chronicle, identifier: string): boolean {
  const joins = scenario.moves.some(({ act }) => act.do === 'form' || act.do === 'join_and_leave');
  const sends = runs.some(({ parts }) =>
    parts.some(
      ({ operation, sent, email }) =>
        sent && email === identifier && (operation === 'subscribe' || operation === 'add_to_list'),
    ),
  );
  return joins || sends;
}

/** Whether a profile with the identifier is on the run's list at the end. */
function isOnList(
  { spec: { list } }: RunChronicle,
  { after }: AccountChronicle,
  identifier: string,
): boolean {
  return after.some(
    (line) =>
      (line.email?.toLowerCase() === identifier || line.phone_number === identifier) &&
      list !== null &&
      isOn(line, LISTS[list]),
  );
}
