import {
  askForMembership,
  getMigration,
  noteOptOuts,
  optOutsOf,
  settleDuplicates,
  settleUnsentParts,
  storeConsentBefore,
  unreadRows,
  unsentRows,
  type Migration,
  type OpenRow,
  type OptOut,
} from '../../ledger/index.js';
import { OPERATIONS } from '../../consent/operations/index.js';
import { isPhoneChannel, type Channel } from '../../contracts/channels.js';
import { KlaviyoUnavailableError } from '../../klaviyo/index.js';
import { JOB_SIZE } from '../../contracts/limits.js';
import type { ActivityDependencies } from '../dependencies.js';
import { keyOfPart } from '../../consent/operations/entries.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import {
  judgePerson,
  needsPhone,
  optOutsShown,
  spellingsOf,
  type Judgement,
} from '../../consent/judge.js';
import type { MigrationTiming, OptOutTiming } from '../../contracts/migration.js';
import { lookUpPeople } from '../look-ups.js';
import type { AccountPeople } from '../mirror/account-people.js';
import type { ProfileChanges } from '../mirror/profile-changes.js';
import { Persistence } from '../temporal/persistence.js';

export interface ReadConsentInput {
  readonly migrationId: string;
  readonly timing: MigrationTiming;
}

/** Concurrent chunks of a thousand rows: while some are stored, the next are looked up. */
const AT_ONCE = 8;

/** The guard's reads: the consent that Klaviyo holds, stored as the state before the run. */
export function createReadConsent(
  deps: ActivityDependencies,
  people: AccountPeople,
  changes: ProfileChanges,
) {
  const { db } = deps.ledger;
  return {
    /**
     * Settles duplicates, then reads every open row that was not read yet: from what earlier reads
     * showed, where that is up to date, and the others at Klaviyo. A retry continues where the last
     * attempt stopped. What could not be read is tried again while there is progress.
     */
    async readConsent({ migrationId, timing }: ReadConsentInput): Promise<{ rows: number }> {
      return whileHeartbeating(async (signal) => {
        await settleDuplicates(db, migrationId);
        const migration = await getMigration(db, migrationId);
        await changes.read(migration, timing, signal);
        const persistence = new Persistence(signal);
        let read = 0;
        for (let begin = 0; ;) {
          const round = await readOnce({ migration, timing }, begin, persistence, signal);
          read += round.rows;
          begin = round.unreadAfter;
          if (!(await persistence.another())) return { rows: read };
        }
      });
    },
  };

  /** Reads the open rows after `begin` that were not read yet; stops when no call is free. */
  async function readOnce(
    { migration, timing }: { readonly migration: Migration; readonly timing: MigrationTiming },
    begin: number,
    persistence: Persistence,
    signal: AbortSignal,
  ): Promise<{ rows: number; unreadAfter: number }> {
    const round = { rows: 0, unreadAfter: Infinity, mustWait: false, failure: null as unknown };
    const underWay = new Set<Promise<void>>();
    const guard = async (some: readonly OpenRow[], after: number): Promise<void> => {
      try {
        const read = await guardRows(
          deps,
          people,
          { migration, jobNumber: null, age: timing },
          some,
          signal,
        );
        round.rows += read.rows;
        persistence.note(read.rows, read.shortage);
        if (read.shortage === null) return;
        round.unreadAfter = Math.min(round.unreadAfter, after);
        round.mustWait ||= !(read.shortage instanceof KlaviyoUnavailableError);
      } catch (error) {
        round.failure ??= error;
      }
    };
    let after = begin;
    while (!round.mustWait && round.failure === null && !signal.aborted) {
      const rows = await unreadRows(db, migration.id, after, JOB_SIZE);
      const last = rows.at(-1);
      if (last === undefined) break;
      const guarding = guard(rows, after).finally(() => underWay.delete(guarding));
      underWay.add(guarding);
      after = last.rowNumber;
      // A look-up that hangs holds up only its own thousand rows.
      if (underWay.size >= AT_ONCE) await Promise.race(underWay);
    }
    // Even if one failed, so that what the others read is stored.
    await Promise.all(underWay);
    signal.throwIfAborted();
    if (round.failure !== null) throw asError(round.failure);
    return { rows: round.rows, unreadAfter: Math.min(round.unreadAfter, after) };
  }
}

function asError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error(String(failure));
}

/** Which rows are guarded: those of a job, or of the whole migration before it has jobs. */
interface Guarded {
  readonly migration: Migration;
  readonly jobNumber: number | null;
  readonly age: ConsentAge;
}

interface Guarding {
  /** Rows that were read and judged. */
  readonly rows: number;
  /** Why the others were not; null if all were. */
  readonly shortage: Error | null;
  /**
   * Parts that must not be sent again but stay open: their answer was lost, so Klaviyo may have
   * them.
   */
  readonly forbidden: readonly { readonly rowNumber: number; readonly channel: Channel }[];
}

/** Older opt-outs existed before any run that may still have a call on its way. */
const ON_ITS_WAY_MS = 24 * 3_600_000;

/**
 * Recalls these people or looks them up, stores what Klaviyo holds, and settles the parts that must
 * not or need not be sent. People who are already subscribed are put on the run's list instead: by the given job,
 * if there is one, since all other jobs may have ended by then.
 *
 * @param asked rows with all their open, unsent parts
 */
async function guardRows(
  deps: ActivityDependencies,
  people: AccountPeople,
  { migration, jobNumber, age }: Guarded,
  asked: readonly OpenRow[],
  signal: AbortSignal,
): Promise<Guarding> {
  const { db } = deps.ledger;
  const { id: migrationId, accountId } = migration;
  const recalled = await people.recall(migration, asked, age, (row) => maxAgeOf(row, age));
  const looked = await lookUp(deps, migration, recalled.left, signal);
  await people.remember(migration, looked.people, looked.rows, looked.tookMs());
  const since = new Date((deps.klaviyo.now()?.earliest.getTime() ?? Date.now()) - ON_ITS_WAY_MS);
  const judgements = [...recalled.judgements, ...looked.judgements];
  const beforeOf = (some: readonly Judgement[]) => some.map(({ before }) => before);
  // In one transaction: a row is not read again, so everything that follows from the read must be
  // stored.
  await db.transaction().execute(async (tx) => {
    await storeConsentBefore(tx, migrationId, beforeOf(recalled.judgements), recalled.ageMs());
    await storeConsentBefore(tx, migrationId, beforeOf(looked.judgements), looked.tookMs());
    await noteOptOuts(tx, accountId, optOutsShown(looked.people.profiles, since));
    await settleUnsentParts(
      tx,
      migrationId,
      judgements.flatMap(({ settlements }) => settlements),
    );
    await askForMembership(
      tx,
      migrationId,
      judgements.flatMap(({ joinsList, before }) => (joinsList ? before.rowNumber : [])),
      jobNumber,
    );
  });
  const sent = new Set(
    looked.rows.flatMap(({ rowNumber, parts }) =>
      parts
        .filter(({ submissionId }) => submissionId !== null)
        .map(({ channel }) => keyOfPart({ rowNumber, channel })),
    ),
  );
  const forbidden = judgements
    .flatMap(({ settlements }) => settlements)
    .filter((settlement) => sent.has(keyOfPart(settlement)));
  return { rows: judgements.length, shortage: looked.people.shortage, forbidden };
}

/** Judges these people by what Klaviyo shows now: those of them that could be looked up. */
async function lookUp(
  { ledger, klaviyo }: ActivityDependencies,
  { accountId, settings, createdAt }: Migration,
  asked: readonly OpenRow[],
  signal: AbortSignal,
) {
  const began = performance.now();
  const people = await lookUpPeople(
    klaviyo,
    {
      emails: asked.flatMap(spellingsOf),
      phoneNumbers: asked.flatMap((row) => (needsPhone(row) ? (row.phoneNumber ?? []) : [])),
    },
    signal,
  );
  const rows = asked.filter((row) => people.covers(row));
  const optOuts = byIdentifier(await optOutsOf(ledger.db, accountId, rows.flatMap(identifiersOf)));
  const run = { listId: settings.listId, startedAt: createdAt };
  const judgements = rows.map((row) =>
    judgePerson(
      row,
      {
        held: people.index.heldFor(row),
        optOuts: identifiersOf(row).flatMap((identifier) => optOuts.get(identifier) ?? []),
      },
      run,
    ),
  );
  return { people, rows, judgements, tookMs: () => performance.now() - began };
}

function identifiersOf({ email, phoneNumber }: OpenRow): string[] {
  return [email, phoneNumber].filter((identifier) => identifier !== null);
}

function byIdentifier(optOuts: readonly OptOut[]): Map<string, OptOut[]> {
  const groups = new Map<string, OptOut[]>();
  for (const optOut of optOuts) {
    const group = groups.get(optOut.identifier);
    if (group === undefined) groups.set(optOut.identifier, [optOut]);
    else group.push(optOut);
  }
  return groups;
}

/**
 * How old the consent reading of a person may be at the call: `consentMaxAgeMs` for e-mail, where the
 * account's opt-outs are watched too, and `textConsentMaxAgeMs` for all other channels, where only
 * events show an opt-out, and may be late.
 */
export interface ConsentAge extends OptOutTiming {
  readonly textConsentMaxAgeMs: number;
  /** Time since the rows were read from the ledger: their consent is older by that. */
  readonly sinceMs?: number;
}

/** What an attempt to submit a job knows of its rows. */
export interface Attempt {
  /** How often a call was postponed because opt-outs took long to read. */
  postponements: number;
  /** Keys (`keyOfPart`) of the parts that are not sent by this attempt. */
  readonly leftOut: Set<string>;
  /** Rows with lost answers that this attempt has guarded. */
  readonly guarded: Set<number>;
}

export const newAttempt = (): Attempt => ({
  postponements: 0,
  leftOut: new Set(),
  guarded: new Set(),
});

/**
 * Guards the rows again whose consent was read too long ago, with all of their parts: a reading
 * that makes a row fresh must cover everything that is sent on it. Every attempt guards rows whose
 * answer was lost, since no settlement says that they must not be sent again.
 *
 * @param rows unsent rows: for sent rows, the effect of the call would be stored as the state
 *   before
 * @returns whether any was guarded again, so that the rows must be read from the ledger again
 * @throws why some could not be read, after the others are stored
 */
export async function guardStale(
  deps: ActivityDependencies,
  people: AccountPeople,
  job: { readonly migrationId: string; readonly jobNumber: number },
  rows: readonly OpenRow[],
  age: ConsentAge,
  { leftOut, guarded }: Attempt,
  signal: AbortSignal,
): Promise<boolean> {
  const isLost = ({ rowNumber, parts }: OpenRow) =>
    !guarded.has(rowNumber) && parts.some(({ submissionId }) => submissionId !== null);
  const stale = rows
    .filter((row) => isStale(row, age) || isLost(row))
    .map(({ rowNumber }) => rowNumber);
  if (stale.length === 0) return false;
  const { db } = deps.ledger;
  const migration = await getMigration(db, job.migrationId);
  const whole = await unsentRows(db, job.migrationId, stale);
  const { jobNumber } = job;
  const guarding = await guardRows(deps, people, { migration, jobNumber, age }, whole, signal);
  if (guarding.shortage !== null) throw guarding.shortage;
  for (const rowNumber of stale) guarded.add(rowNumber);
  for (const part of guarding.forbidden) leftOut.add(keyOfPart(part));
  return true;
}

function isStale(row: OpenRow, age: ConsentAge): boolean {
  const { consentAgeMs } = row;
  return consentAgeMs === null || consentAgeMs + (age.sinceMs ?? 0) > maxAgeOf(row, age);
}

/** How old the reading of a row may be, in milliseconds. */
function maxAgeOf(
  { parts }: OpenRow,
  { consentMaxAgeMs, textConsentMaxAgeMs }: ConsentAge,
): number {
  const texts = parts.some(
    ({ channel, operation }) =>
      OPERATIONS[operation].givesConsent && (isPhoneChannel(channel) || channel === 'push'),
  );
  return texts ? Math.min(textConsentMaxAgeMs, consentMaxAgeMs) : consentMaxAgeMs;
}
