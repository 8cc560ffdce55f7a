import { setTimeout as delay } from 'node:timers/promises';
import { log } from '@temporalio/activity';
import { foldEmail } from '../../contracts/addresses.js';
import { identifierOf, isConsentChannel, isPhoneChannel } from '../../contracts/channels.js';
import { CALL_LIMITS } from '../../contracts/limits.js';
import {
  KlaviyoRefusedError,
  type ProfileConsent,
  type UnsubscribeRequest,
} from '../../klaviyo/index.js';
import {
  closeRepairs,
  markSubscribed,
  markUnsubscribed,
  openRepairs,
  settleRepaired,
  type Migration,
  type Repair,
  type Settlement,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { consentHeld, type Held, profilesFor } from '../../consent/person.js';
import { spellingsOf } from '../../consent/judge.js';
import { chunks, isShortage, lookUpMembers, lookUpPeople } from '../look-ups.js';
import { judgeRepair, nextStep, type RepairVerdict } from '../../consent/repair-verdict.js';

/** People looked up together. A run has a handful; a few more in the minutes after its submit. */
const AT_ONCE = 1_000;

/** Most profiles of one row: Klaviyo may have several for its address and its number. */
const MAX_PROFILES = 4;

/** Looks at the deadline: Klaviyo's reads may lag a moment, or sometimes not show the consent. */
export const LAST_LOOKS = 10;
export const LAST_LOOK_EVERY_MS = 1_000;

export interface Repairing {
  /** Only repairs of this job; null for all of the run. */
  readonly jobNumber: number | null;
  /** Time after its last call until a subscribe can no longer be applied. */
  readonly appliedWithinMs: number;
  /** The job's deadline has come: whatever is open is settled now. */
  readonly final: boolean;
}

/**
 * Looks up everybody who opted out after the run asked Klaviyo to subscribe them, and unsubscribes
 * those whom Klaviyo subscribed anyway. They are watched until no call of the run can be applied
 * any more.
 *
 * @returns rows that this look unsubscribed again, and whether anybody is still watched
 */
export async function repairOptOuts(
  deps: ActivityDependencies,
  migration: Migration,
  repairing: Repairing,
  signal: AbortSignal,
): Promise<{ unsubscribed: number; watched: boolean }> {
  let unsubscribed = 0;
  for (let looks = 1; ; looks += 1) {
    const look = await lookAtAll(deps, migration, repairing, looks, signal);
    unsubscribed += look.unsubscribed;
    if (!look.again) return { unsubscribed, watched: look.watched };
    await delay(LAST_LOOK_EVERY_MS, undefined, { signal });
  }
}

/** A watched person, as read from Klaviyo. */
interface Judged {
  readonly repair: Repair;
  readonly profiles: readonly ProfileConsent[];
  readonly verdict: RepairVerdict;
}

const isOpen = ({ verdict }: Judged): boolean => verdict === 'subscribed' || verdict === 'unknown';

const repairsOf = (judged: readonly Judged[]): Repair[] => judged.map(({ repair }) => repair);

interface Look {
  readonly unsubscribed: number;
  readonly watched: boolean;
  /** At the deadline: somebody is still not read as out. */
  readonly again: boolean;
}

/** Looks up everybody, page by page: people who wait on the first pages do not hide the others. */
async function lookAtAll(
  deps: ActivityDependencies,
  migration: Migration,
  repairing: Repairing,
  looks: number,
  signal: AbortSignal,
): Promise<Look> {
  let all: Look = { unsubscribed: 0, watched: false, again: false };
  let shortage: Error | null = null;
  for (let after: Repair | null = null; ;) {
    const { jobNumber } = repairing;
    const page = { jobNumber, after, limit: AT_ONCE };
    const repairs: Repair[] = await openRepairs(deps.ledger.db, migration.id, page);
    after = repairs.at(-1) ?? null;
    if (after === null) break;
    try {
      const look = await lookAt(deps, migration, repairs, repairing, looks, signal);
      all = {
        unsubscribed: all.unsubscribed + look.unsubscribed,
        watched: all.watched || look.watched,
        again: all.again || look.again,
      };
    } catch (error) {
      // The next look tries these again; others may still be readable.
      if (!isShortage(error)) throw error;
      shortage ??= error;
    }
  }
  if (shortage !== null) throw shortage;
  return all;
}

async function lookAt(
  deps: ActivityDependencies,
  { id, settings }: Migration,
  repairs: readonly Repair[],
  { appliedWithinMs, final }: Repairing,
  looks: number,
  signal: AbortSignal,
): Promise<Look> {
  const { db } = deps.ledger;
  const people = await lookUpPeople(deps.klaviyo, askedFor(repairs), signal);
  const judged = await offTheList(
    deps,
    settings.listId,
    repairs
      .filter((repair) => people.covers(repair))
      .map((repair): Judged => {
        const profiles = profilesOf(repair, people.index.heldFor(repair));
        return { repair, profiles, verdict: judgeRepair(repair, profiles, settings.listId) };
      }),
    signal,
  );
  const subscribed = judged.filter(({ verdict }) => verdict === 'subscribed');
  // If Klaviyo has not shown a person's consent for that long, they are unsubscribed: their opt-out
  // is known.
  const isLate = ({ repair }: Judged) => repair.sentMsAgo >= 2 * appliedWithinMs;
  const doubtful = judged.filter((one) => one.verdict === 'unknown' && isLate(one));
  await markSubscribed(db, id, repairsOf(subscribed));
  const doing = (step: ReturnType<typeof nextStep>) =>
    subscribed.filter(({ repair }) => nextStep(repair, appliedWithinMs) === step);
  const givenUp = doing('give_up');
  if (givenUp.length > 0) {
    log.warn('Klaviyo still shows people as subscribed after their opt-outs: giving up', {
      migrationId: id,
      people: givenUp.length,
    });
  }
  const taken = [...doing('take_out'), ...doubtful];
  const refused = await unsubscribe(deps, id, taken, settings.listId, signal);

  const isGivenUp = (one: Judged) =>
    doubtful.includes(one) || givenUp.includes(one) || (isLate(one) && refused.has(one));
  const isLast = looks >= LAST_LOOKS;
  await settleRepaired(
    db,
    id,
    judged.flatMap((one) =>
      endOf(one, {
        isDue: final || one.repair.sentMsAgo >= appliedWithinMs,
        isFinal: (final && isLast) || isGivenUp(one),
      }),
    ),
  );
  const closed = judged.filter(
    (one) => isGivenUp(one) || (!isOpen(one) && one.repair.sentMsAgo >= appliedWithinMs),
  );
  await closeRepairs(db, id, repairsOf(closed));
  people.throwIfShort();
  return {
    unsubscribed: subscribed.filter(({ repair }) => !repair.wasSubscribed).length,
    watched: closed.length < repairs.length,
    again: final && !isLast && judged.some(isOpen),
  };
}

/**
 * Whoever seems to be back on the list that they left, and is not on it, is out: another run has removed
 * them. An unsubscribe from the list would opt them out of everything.
 */
async function offTheList(
  { klaviyo }: ActivityDependencies,
  listId: string | null,
  judged: readonly Judged[],
  signal: AbortSignal,
): Promise<Judged[]> {
  const isDoubtful = ({ repair, verdict }: Judged) =>
    repair.channel === 'list' && verdict === 'subscribed';
  const emails = judged
    .filter(isDoubtful)
    .flatMap(({ profiles }) => profiles.flatMap(({ email }) => email ?? []));
  if (listId === null || emails.length === 0) return [...judged];
  const members = await lookUpMembers(klaviyo, listId, { emails, phoneNumbers: [] }, signal);
  members.throwIfShort();
  const ids = new Set(members.profiles.map(({ id }) => id));
  return judged.map((one) =>
    isDoubtful(one) && !one.profiles.some(({ id }) => ids.has(id))
      ? { ...one, verdict: 'out' }
      : one,
  );
}

/**
 * Unsubscribes people. If Klaviyo refuses one of them, the others are still unsubscribed.
 *
 * @returns people whom Klaviyo refused: they stay open and are tried again at the next look
 */
async function unsubscribe(
  deps: ActivityDependencies,
  migrationId: string,
  judged: readonly Judged[],
  listId: string | null,
  signal: AbortSignal,
): Promise<Set<Judged>> {
  const refused = new Set<Judged>();
  const left = judged.filter(({ repair }) => repair.channel === 'list');
  const others = judged.filter(({ repair }) => repair.channel !== 'list');
  const calls = [
    ...chunks(left, CALL_LIMITS.unsubscribe / MAX_PROFILES).map(
      (some) => [some, leaveRequest(some, listId)] as const,
    ),
    ...chunks(others, CALL_LIMITS.unsubscribe).map(
      (some) => [some, unsubscribeRequest(some)] as const,
    ),
  ];
  for (const [some, request] of calls) {
    try {
      await deps.klaviyo.unsubscribeProfiles(request, { signal });
      await markUnsubscribed(deps.ledger.db, migrationId, repairsOf(some));
    } catch (error) {
      if (!(error instanceof KlaviyoRefusedError)) throw error;
      if (some.length === 1) some.forEach((one) => refused.add(one));
      else {
        for (const one of some) {
          for (const alone of await unsubscribe(deps, migrationId, [one], listId, signal)) {
            refused.add(alone);
          }
        }
      }
    }
  }
  return refused;
}

/** How a part ends after its person was read; empty while the call may still be applied. */
function endOf(
  { repair, profiles, verdict }: Judged,
  { isDue, isFinal }: { readonly isDue: boolean; readonly isFinal: boolean },
): Settlement[] {
  const { rowNumber, channel, outcome, wasSubscribed } = repair;
  const held = consentHeld(channel, profiles);
  const end = {
    rowNumber,
    channel,
    settledBy: 'profile_lookup' as const,
    ...(held === null ? {} : { read: held }),
  };
  switch (verdict) {
    case 'out':
      if (wasSubscribed) {
        return [{ ...end, outcome: 'skipped_opted_out', reason: 'unsubscribed_again' }];
      }
      // An earlier `confirmed` was true: they left afterwards.
      if (outcome === 'confirmed' || !isDue) return [];
      return [{ ...end, outcome: 'skipped_opted_out', reason: 'opted_out_during_run' }];
    case 'came_back':
      return [{ ...end, outcome: 'confirmed', reason: null }];
    case 'subscribed':
    case 'unknown':
      if (!isFinal) return [];
      return [{ ...end, outcome: 'unconfirmed', reason: 'opt_out_not_read_back' }];
  }
}

function askedFor(repairs: readonly Repair[]) {
  return {
    emails: repairs.flatMap((repair) =>
      isPhoneChannel(repair.channel) ? [] : spellingsOf(repair),
    ),
    phoneNumbers: repairs.flatMap(({ channel, email, phoneNumber }) =>
      isPhoneChannel(channel) || channel === 'list' || email === null ? (phoneNumber ?? []) : [],
    ),
  };
}

function profilesOf({ channel, leftBy }: Repair, held: Held): ProfileConsent[] {
  if (channel !== 'list') return profilesFor(channel, held);
  // The row's other identifier may belong to somebody else, who has not left the list.
  const both = new Map([...held.byEmail, ...held.byPhone].map((one) => [one.id, one]));
  return [...both.values()].filter(
    ({ email, phoneNumber }) =>
      leftBy.includes(foldEmail(email ?? '')) || leftBy.includes(phoneNumber ?? ''),
  );
}

/** From the list only: they may want other mail. */
function leaveRequest(judged: readonly Judged[], listId: string | null): UnsubscribeRequest {
  const emails = new Set(
    judged.flatMap(({ profiles }) => profiles.flatMap(({ email }) => email ?? [])),
  );
  return {
    listId,
    profiles: [...emails].map((email) => ({ email, phoneNumber: null, channels: ['email'] })),
  };
}

/** From the whole channel: before the run the person was not subscribed to it. */
function unsubscribeRequest(judged: readonly Judged[]): UnsubscribeRequest {
  return {
    listId: null,
    profiles: judged.map(({ repair }) => {
      const { channel } = repair;
      const identifier = identifierOf(channel, repair);
      const byEmail = identifier === repair.email;
      return {
        email: byEmail ? identifier : null,
        phoneNumber: byEmail ? null : identifier,
        channels: isConsentChannel(channel) ? [channel] : [],
      };
    }),
  };
}
