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
  runId: string,
  paused: boolean,
  steering: string | null = null,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockForWord(tx, runId);
    await sql`
      update consentry.run
      set paused = ${paused}, steering = coalesce(${steering}::bigint, steering + 1)
      where id = ${runId}
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
  runId: string,
  paused: boolean,
): Promise<string | null> {
  const row = await db.transaction().execute(async (tx) => {
    await lockForWord(tx, runId);
    return tx
      .updateTable('run')
      .set((eb) => ({ paused, steering: eb('steering', '+', '1') }))
      .where('id', '=', runId)
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
export async function noteStop(db: LedgerDb, runId: string, reason: Reason): Promise<boolean> {
  const result = await db.transaction().execute(async (tx) => {
    await lockForWord(tx, runId);
    return tx
      .updateTable('run')
      .set({ stopped_at: sql`now()`, stop_reason: reason })
      .where('id', '=', runId)
      .where('stopped_at', 'is', null)
      .executeTakeFirst();
  });
  return result.numUpdatedRows > 0n;
}

/** Settles everything that was not sent, of a run that was told to stop. */
export async function settleStopped(db: LedgerDb, migrationId: string): Promise<number> {
  const row = await db
    .selectFrom('run')
    .select(['stopped_at', 'stop_reason'])
    .where('id', '=', migrationId)
    .executeTakeFirstOrThrow();
  if (row.stopped_at === null) return 0;
  return settleUnsent(db, migrationId, null, row.stop_reason ?? 'migration_stopped');
}
