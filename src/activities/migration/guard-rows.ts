import {
  judgePerson,
  needsPhone,
  optOutsShown,
  spellingsOf,
  type Judgement,
} from '../../consent/judge.js';
import { keyOfPart } from '../../consent/operations/entries.js';
import { OPERATIONS } from '../../consent/operations/index.js';
import { profilesFor } from '../../consent/person.js';
import { isPhoneChannel, type Channel } from '../../contracts/channels.js';
import type { OptOutTiming } from '../../contracts/migration.js';
import {
  askForMembership,
  getMigration,
  givenToRows,
  ledgerTime,
  liftsOf,
  noteOptOuts,
  optOutsOf,
  settleUnsentParts,
  storeConsentBefore,
  unsentRows,
  type Migration,
  type OpenRow,
  type OptOut,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { byKlaviyosClock } from '../klaviyo-time.js';
import { lookUpMembers, lookUpPeople } from '../look-ups.js';
import type { AccountPeople } from '../mirror/account-people.js';
import { stopwatch } from '../stopwatch.js';

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
 * not or need not be sent. People who are already subscribed, and not on the run's list, are put on it
 * instead: by the given job, if there is one, since all other jobs may have ended by then.
 *
 * @param asked rows with all their open, unsent parts
 */
export async function guardRows(
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
  const read = { readAt: looked.readAt, tookMs: looked.tookMs() };
  await people.remember(migration, looked.people, looked.rows, read);
  const joining = await notOnList(deps, migration, looked, signal);
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
    await askForMembership(tx, migrationId, joining, jobNumber);
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

/**
 * The rows whose people are to join the run's list, without those who are on it: importing them again
 * would change nothing, and no feed would show it. Who could not be read now is imported.
 */
async function notOnList(
  { klaviyo }: ActivityDependencies,
  { settings: { listId } }: Migration,
  { rows, judgements }: Pick<Awaited<ReturnType<typeof lookUp>>, 'rows' | 'judgements'>,
  signal: AbortSignal,
): Promise<number[]> {
  const joining = rows.filter((_, n) => judgements[n]?.joinsList === true);
  if (listId === null || joining.length === 0) return [];
  const members = await lookUpMembers(
    klaviyo,
    listId,
    {
      emails: joining.flatMap(spellingsOf),
      phoneNumbers: joining.flatMap(({ email, phoneNumber }) =>
        email === null && phoneNumber !== null ? [phoneNumber] : [],
      ),
    },
    signal,
  );
  const isMember = (row: OpenRow) =>
    members.covers(row) && profilesFor('list', members.index.heldFor(row)).length > 0;
  return joining.filter((row) => !isMember(row)).map(({ rowNumber }) => rowNumber);
}

/** Judges these people by what Klaviyo shows now: those of them that could be looked up. */
async function lookUp(
  { ledger, klaviyo }: ActivityDependencies,
  migration: Migration,
  asked: readonly OpenRow[],
  signal: AbortSignal,
) {
  const { accountId, settings, askedAt } = migration;
  const readAt = await ledgerTime(ledger.db);
  const tookMs = stopwatch();
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
  const lifts = await liftsOf(ledger.db, accountId, rows.flatMap(suppressedBy));
  const numbers = rows.map(({ rowNumber }) => rowNumber);
  const given = await givenToRows(ledger.db, migration, numbers);
  const run = { ...settings, startedAt: byKlaviyosClock(klaviyo, askedAt) };
  const judgements = rows.map((row) =>
    judgePerson(
      row,
      {
        held: people.index.heldFor(row),
        optOuts: identifiersOf(row).flatMap((identifier) => optOuts.get(identifier) ?? []),
        mayBeLifted: row.email !== null && lifts.has(row.email),
        given: given.get(row.rowNumber),
      },
      run,
    ),
  );
  return { people, rows, judgements, readAt, tookMs };
}

function identifiersOf({ email, phoneNumber }: OpenRow): string[] {
  return [email, phoneNumber].filter((identifier) => identifier !== null);
}

/** The address that a row asks to suppress. */
function suppressedBy({ email, parts }: OpenRow): string[] {
  return email !== null && parts.some(({ operation }) => operation === 'suppress') ? [email] : [];
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
  /** Ids of profiles that Klaviyo refused a call for, since it does not know them any more. */
  readonly vanished: Set<string>;
}

export const newAttempt = (): Attempt => ({
  postponements: 0,
  leftOut: new Set(),
  guarded: new Set(),
  vanished: new Set(),
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
