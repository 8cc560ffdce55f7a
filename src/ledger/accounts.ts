import { sql } from 'kysely';
import type { LedgerDb } from './database.js';

/** Records that a worker has proved a key of the account and works for it. */
export async function noteAccount(db: LedgerDb, accountId: string): Promise<void> {
  await db
    .insertInto('account')
    .values({ id: accountId })
    .onConflict((oc) => oc.column('id').doUpdateSet({ seen_at: sql`now()` }))
    .execute();
}

/** The accounts whose keys workers have proved, newest first. */
export async function listAccounts(db: LedgerDb): Promise<string[]> {
  const rows = await db.selectFrom('account').select('id').orderBy('seen_at', 'desc').execute();
  return rows.map(({ id }) => id);
}
