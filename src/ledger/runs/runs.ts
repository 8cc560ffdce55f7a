import { sql, type InsertQueryBuilder } from 'kysely';
import type { Run, RunKind } from '../../contracts/run.js';
import type { LedgerDb } from '../database.js';
import type { Tables } from '../schema/tables.js';

export interface NewRun extends Run {
  /** Klaviyo's id of the account that its calls are for. */
  readonly accountId: string;
  /** Unique among unfinished runs; null if two runs may ask for the same at once. */
  readonly requestHash: string | null;
  /** Part of the account's limits that it may use, above 0 to 1. */
  readonly share: number;
}

export function insertRun(
  db: LedgerDb,
  { id, kind, accountId, requestHash, share }: NewRun,
): InsertQueryBuilder<Tables, 'run', unknown> {
  return db.insertInto('run').values({
    id,
    kind,
    account_id: accountId,
    request_hash: requestHash,
    share,
    // Not when its transaction began: that may have read a source for an hour.
    created_at: sql`clock_timestamp()`,
  });
}

const SHORT_KINDS = ['check', 'person', 'list'] as const satisfies readonly RunKind[];
type ShortKind = (typeof SHORT_KINDS)[number];

/** Runs of checks and questions are kept for this long: their calls can be counted for a day. */
const SHORT_RUNS_LIVE = sql`interval '1 day'`;

/**
 * Starts a run that is a check, a question about a person or a new list. Those that are a day old are deleted on the way.
 *
 * @param db a transaction
 */
export async function startShortRun(
  db: LedgerDb,
  { id, kind, accountId }: Pick<NewRun, 'id' | 'accountId'> & { kind: ShortKind },
): Promise<void> {
  await db
    .deleteFrom('run')
    .where('kind', 'in', SHORT_KINDS)
    .where('created_at', '<', sql<Date>`now() - ${SHORT_RUNS_LIVE}`)
    .execute();
  await insertRun(db, { id, kind, accountId, requestHash: null, share: 1 }).execute();
}

/** Ends a run. If it has ended already, its end time stays. */
export async function finishRun(db: LedgerDb, runId: string): Promise<void> {
  await db
    .updateTable('run')
    .set({ finished_at: sql`now()` })
    .where('id', '=', runId)
    .where('finished_at', 'is', null)
    .execute();
}

/** @param share above 0, at most 1 */
export async function setShare(db: LedgerDb, runId: string, share: number): Promise<void> {
  await db.updateTable('run').set({ share }).where('id', '=', runId).execute();
}

/**
 * Records why the calls of a run wait until somebody acts, for example because Klaviyo refuses the
 * key.
 *
 * @returns whether this reason is new
 */
export async function hold(db: LedgerDb, runId: string, why: string): Promise<boolean> {
  const result = await db
    .updateTable('run')
    .set({ held: why })
    .where('id', '=', runId)
    .where('finished_at', 'is', null)
    .where('held', 'is distinct from', why)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Records that a run's calls are answered again. @returns whether the run was held */
export async function release(db: LedgerDb, runId: string): Promise<boolean> {
  const result = await db
    .updateTable('run')
    .set({ held: null })
    .where('id', '=', runId)
    .where('held', 'is not', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Why the calls of a run wait until somebody acts; null while they do not wait. */
export async function heldBecause(db: LedgerDb, runId: string): Promise<string | null> {
  const row = await db.selectFrom('run').select('held').where('id', '=', runId).executeTakeFirst();
  return row?.held ?? null;
}

/** What is read before each call of a run: the account that it is for, and its limits. */
export interface RunTerms {
  readonly accountId: string | null;
  /** Part of the account's limits that it may use: above 0, at most 1. */
  readonly share: number;
  readonly held: boolean;
}

/** Null for a run that is not in the ledger. */
export async function termsOf(db: LedgerDb, runId: string): Promise<RunTerms | null> {
  const row = await db
    .selectFrom('run')
    .select(['account_id', 'share', 'held'])
    .where('id', '=', runId)
    .executeTakeFirst();
  if (row === undefined) return null;
  return { accountId: row.account_id, share: row.share, held: row.held !== null };
}
