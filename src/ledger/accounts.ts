import { sql } from 'kysely';
import type { LedgerDb } from './database.js';

/** Notes that a worker has shown a key of the account, and works for it. */
export async function noteAccount(db: LedgerDb, accountId: string): Promise<void> {
  await db
    .insertInto('account')
    .values({ id: accountId })
    .onConflict((oc) => oc.column('id').doUpdateSet({ seen_at: sql`now()` }))
    .execute();
}

/** The accounts that workers have shown a key of, the newest first. */
export async function listAccounts(db: LedgerDb): Promise<string[]> {
  const rows = await db.selectFrom('account').select('id').orderBy('seen_at', 'desc').execute();
  return rows.map(({ id }) => id);
}
