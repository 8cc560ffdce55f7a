import { sql } from 'kysely';
import type { Reason } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';
import { lockForWord } from './steering-lock.js';
import { settleUnsent } from './totals.js';

/**
 * Pauses or resumes a run, as every call asks before it is made.
 *
 * @param steering number of the word that asks for it, as `nextSteering` gave it: what is older than
 *   another one changes nothing. Null for the newest.
 */
export async function setPaused(
  db: LedgerDb,
  migrationId: string,
  paused: boolean,
  steering: string | null = null,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockForWord(tx, migrationId);
    await sql`
      update consentry.migration
      set paused = ${paused}, steering = coalesce(${steering}::bigint, steering + 1)
      where id = ${migrationId}
        and (${steering}::bigint is null or steering <= ${steering}::bigint)`.execute(tx);
  });
}

/**
 * The same from outside of the run, in the moment in which a person says it.
 *
 * @returns the number of this word
 */
export async function steerNow(
  db: LedgerDb,
  migrationId: string,
  paused: boolean,
): Promise<string | null> {
  const row = await db.transaction().execute(async (tx) => {
    await lockForWord(tx, migrationId);
    return tx
      .updateTable('migration')
      .set((eb) => ({ paused, steering: eb('steering', '+', '1') }))
      .where('id', '=', migrationId)
      .where('finished_at', 'is', null)
      .returning('steering')
      .executeTakeFirst();
  });
  return row?.steering ?? null;
}

/**
 * From now on nothing more is submitted: `beginSubmission` asks. The first reason counts.
 *
 * @returns whether it is news
 */
export async function noteStop(
  db: LedgerDb,
  migrationId: string,
  reason: Reason,
): Promise<boolean> {
  const result = await db.transaction().execute(async (tx) => {
    await lockForWord(tx, migrationId);
    return tx
      .updateTable('migration')
      .set({ stopped_at: sql`now()`, stop_reason: reason })
      .where('id', '=', migrationId)
      .where('stopped_at', 'is', null)
      .executeTakeFirst();
  });
  return result.numUpdatedRows > 0n;
}

/** Settles everything that was not sent, of a run that was told to stop. */
export async function settleStopped(db: LedgerDb, migrationId: string): Promise<number> {
  const row = await db
    .selectFrom('migration')
    .select(['stopped_at', 'stop_reason'])
    .where('id', '=', migrationId)
    .executeTakeFirstOrThrow();
  if (row.stopped_at === null) return 0;
  return settleUnsent(db, migrationId, null, row.stop_reason ?? 'migration_stopped');
}

/**
 * Why the calls of a run wait for a person, such as a key that Klaviyo refuses.
 *
 * @returns whether it is news
 */
export async function hold(db: LedgerDb, migrationId: string, why: string): Promise<boolean> {
  const result = await db
    .updateTable('migration')
    .set({ held: why })
    .where('id', '=', migrationId)
    .where('finished_at', 'is', null)
    .where('held', 'is distinct from', why)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Its calls are answered again. @returns whether it is news */
export async function release(db: LedgerDb, migrationId: string): Promise<boolean> {
  const result = await db
    .updateTable('migration')
    .set({ held: null })
    .where('id', '=', migrationId)
    .where('held', 'is not', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** What a call of a run has to know, asked before each: whose account it is for, and its limits. */
export interface RunTerms {
  readonly accountId: string | null;
  /** Part of the account's limits that it may use, above 0 to 1. */
  readonly share: number;
  readonly held: boolean;
}

/** Null for a migration that is not in the ledger. */
export async function termsOf(db: LedgerDb, migrationId: string): Promise<RunTerms | null> {
  const row = await db
    .selectFrom('migration')
    .select(['account_id', 'share', 'held'])
    .where('id', '=', migrationId)
    .executeTakeFirst();
  if (row === undefined) return null;
  return { accountId: row.account_id, share: row.share, held: row.held !== null };
}
