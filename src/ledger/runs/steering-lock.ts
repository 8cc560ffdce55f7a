import { sql } from 'kysely';
import type { LedgerDb } from '../database.js';

/**
 * Calls of a run begin side by side. A word that stops or pauses the run waits for those that are just
 * beginning, and the next ones wait for the word.
 *
 * Not a lock of the run's row: share locks of a row are granted past an update that waits, so that a
 * stop would get its turn when nothing is left to send. These locks keep their order.
 *
 * @param tx holds it until its end
 */
export async function lockForCall(tx: LedgerDb, runId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${key(runId)})`.execute(tx);
}

/** The same for a word about the run. */
export async function lockForWord(tx: LedgerDb, runId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${key(runId)})`.execute(tx);
}

const key = (runId: string) => sql`hashtextextended(${`steering ${runId}`}, 0)`;
