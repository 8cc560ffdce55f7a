import { sql } from 'kysely';
import type { Reason } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';
import { lockForInstruction } from './steering-lock.js';
import { settleUnsent } from '../jobs/settlements.js';

/**
 * Pauses or resumes a run. Every call checks this before it is made.
 *
 * @param steering number of the instruction, from `steerNow`: one that is older than another
 *   changes nothing. Null for the newest.
 */
export async function setPaused(
  db: LedgerDb,
  runId: string,
  paused: boolean,
  steering: string | null = null,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockForInstruction(tx, runId);
    await sql`
      update consentry.run
      set paused = ${paused}, steering = coalesce(${steering}::bigint, steering + 1)
      where id = ${runId}
        and (${steering}::bigint is null or steering <= ${steering}::bigint)`.execute(tx);
  });
}

/**
 * The same from outside the run, at the moment of the request.
 *
 * @returns the number of this instruction; null if the run has ended
 */
export async function steerNow(
  db: LedgerDb,
  runId: string,
  paused: boolean,
): Promise<string | null> {
  const row = await db.transaction().execute(async (tx) => {
    await lockForInstruction(tx, runId);
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
 * Stops a run: from now on nothing more is submitted, as `beginSubmission` checks. The first reason
 * counts.
 *
 * @returns whether the run was not stopped before
 */
export async function noteStop(db: LedgerDb, runId: string, reason: Reason): Promise<boolean> {
  const result = await db.transaction().execute(async (tx) => {
    await lockForInstruction(tx, runId);
    return tx
      .updateTable('run')
      .set({ stopped_at: sql`now()`, stop_reason: reason })
      .where('id', '=', runId)
      .where('stopped_at', 'is', null)
      .executeTakeFirst();
  });
  return result.numUpdatedRows > 0n;
}

/** Settles everything unsent of a stopped run. */
export async function settleStopped(db: LedgerDb, migrationId: string): Promise<number> {
  const row = await db
    .selectFrom('run')
    .select(['stopped_at', 'stop_reason'])
    .where('id', '=', migrationId)
    .executeTakeFirst();
  if (row === undefined || row.stopped_at === null) return 0;
  return settleUnsent(db, migrationId, null, row.stop_reason ?? 'migration_stopped');
}
