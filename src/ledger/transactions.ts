import { sql } from 'kysely';
import type { LedgerDb } from './database.js';

/** Runs `work` in a transaction: the one that `db` is, or a new one. */
export async function inTransaction<T>(
  db: LedgerDb,
  work: (tx: LedgerDb) => Promise<T>,
): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}

/**
 * Lets one transaction at a time settle parts of a migration, or record which ones a call carries:
 * no part is settled as unsent while a call takes it, and the counters of rows that several
 * statements settle together stay right. Steering and calls lock first, this lock comes last.
 *
 * @param tx holds the lock until it ends; what it reads after this is up to date
 */
export async function lockForSettling(tx: LedgerDb, migrationId: string): Promise<void> {
  const key = sql`hashtextextended(${`settling ${migrationId}`}, 0)`;
  await sql`select pg_advisory_xact_lock(${key})`.execute(tx);
}
