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
import { judgePerson, needsPhone, optOutsShown, spellingsOf } from '../../consent/judge.js';
import { lookUpPeople } from '../look-ups.js';
import { Persistence } from '../temporal/persistence.js';

/** Concurrent chunks of a thousand rows: while some are stored, the next are looked up. */
const AT_ONCE = 8;

/** The guard's reads: the consent that Klaviyo holds, stored as the state before the run. */
export function createReadConsent(deps: ActivityDependencies) {
  const { db } = deps.ledger;
  return {
    /**
     * Settles duplicates, then reads every open row that was not read yet. A retry continues where
     * the last attempt stopped. What could not be read is tried again while there is progress.
     */
    async readConsent({ migrationId }: { migrationId: string }): Promise<{ rows: number }> {
      return whileHeartbeating(async (signal) => {
        await settleDuplicates(db, migrationId);
        const migration = await getMigration(db, migrationId);
        const persistence = new Persistence(signal);
        let read = 0;
        for (let begin = 0; ;) {
          const round = await readOnce(migration, begin, persistence, signal);
          read += round.rows;
          begin = round.unreadAfter;
          if (!(await persistence.another())) return { rows: read };
        }
      });
    },
  };

  /** Reads the open rows after `begin` that were not read yet; stops when no call is free. */
  async function readOnce(
    migration: Migration,
    begin: number,
    persistence: Persistence,
    signal: AbortSignal,
  ): Promise<{ rows: number; unreadAfter: number }> {
    const round = { rows: 0, unreadAfter: Infinity, mustWait: false, failure: null as unknown };
    const underWay = new Set<Promise<void>>();
    const guard = async (some: readonly OpenRow[], after: number): Promise<void> => {
      try {
        const read = await guardRows(deps, { migration, jobNumber: null }, some, signal);
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
 * Looks up these people, stores what Klaviyo holds, and settles the parts that must not or need not
 * be sent. People who are already subscribed are put on the run's list instead: by the given job,
 * if there is one, since all other jobs may have ended by then.
 *
 * @param asked rows with all their open, unsent parts
 */
async function guardRows(
  { ledger, klaviyo }: ActivityDependencies,
  { migration, jobNumber }: Guarded,
  asked: readonly OpenRow[],
  signal: AbortSignal,
): Promise<Guarding> {
  const { id: migrationId, accountId } = migration;
  const run = { listId: migration.settings.listId, startedAt: migration.createdAt };
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
  const tookMs = performance.now() - began;
  const since = new Date((klaviyo.now()?.earliest.getTime() ?? Date.now()) - ON_ITS_WAY_MS);
  // In one transaction: a row is not read again, so everything that follows from the read must be
  // stored.
  await ledger.db.transaction().execute(async (tx) => {
    await storeConsentBefore(
      tx,
      migrationId,
      judgements.map(({ before }) => before),
      tookMs,
    );
    await noteOptOuts(tx, accountId, optOutsShown(people.profiles, since));
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
    rows.flatMap(({ rowNumber, parts }) =>
      parts
        .filter(({ submissionId }) => submissionId !== null)
        .map(({ channel }) => keyOfPart({ rowNumber, channel })),
    ),
  );
  const forbidden = judgements
    .flatMap(({ settlements }) => settlements)
    .filter((settlement) => sent.has(keyOfPart(settlement)));
  return { rows: rows.length, shortage: people.shortage, forbidden };
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

/** How old the consent reading of a person may be at the call, in milliseconds. */
export interface ConsentAge {
  /** For e-mail, where the account's opt-outs are watched too. */
  readonly consentMaxAgeMs: number;
  /** For all other channels, where only events show an opt-out, and may be late. */
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
  const guarding = await guardRows(deps, { migration, jobNumber: job.jobNumber }, whole, signal);
  if (guarding.shortage !== null) throw guarding.shortage;
  for (const rowNumber of stale) guarded.add(rowNumber);
  for (const part of guarding.forbidden) leftOut.add(keyOfPart(part));
  return true;
}

function isStale(
  { consentAgeMs, parts }: OpenRow,
  { consentMaxAgeMs, textConsentMaxAgeMs, sinceMs = 0 }: ConsentAge,
): boolean {
  const texts = parts.some(
    ({ channel, operation }) =>
      OPERATIONS[operation].givesConsent && (isPhoneChannel(channel) || channel === 'push'),
  );
  const maxAgeMs = texts ? Math.min(textConsentMaxAgeMs, consentMaxAgeMs) : consentMaxAgeMs;
  return consentAgeMs === null || consentAgeMs + sinceMs > maxAgeMs;
}
