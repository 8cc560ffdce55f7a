import { sql } from 'kysely';
import type { LedgerDb } from '../database.js';

/**
 * Lets calls of a run begin concurrently. An instruction to stop or pause the run waits for calls
 * that are just beginning, and later calls wait for the instruction.
 *
 * This is not a lock on the run's row: PostgreSQL grants share locks on a row ahead of a waiting
 * update, so a stop would get its turn only when nothing is left to send. Advisory locks keep their
 * order.
 *
 * @param tx holds the lock until it ends
 */
export async function lockForCall(tx: LedgerDb, runId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${key(runId)})`.execute(tx);
}

/** The same for an instruction to the run. */
export async function lockForInstruction(tx: LedgerDb, runId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${key(runId)})`.execute(tx);
}

const key = (runId: string) => sql`hashtextextended(${`steering ${runId}`}, 0)`;
