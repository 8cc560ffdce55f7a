import { sql } from 'kysely';
import { TEXT_CHANNELS, type Operation } from '../contracts/channels.js';
import type { LedgerDb } from './database.js';

export async function getJob(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
): Promise<{ operation: Operation; rows: number }> {
  return db
    .selectFrom('job')
    .select(['operation', 'rows'])
    .where('migration_id', '=', migrationId)
    .where('job_number', '=', jobNumber)
    .executeTakeFirstOrThrow();
}

/** Jobs that have a part without an outcome. */
export async function jobsWithOpenParts(db: LedgerDb, migrationId: string): Promise<number[]> {
  const rows = await db
    .selectFrom('intent_part')
    .select('job_number')
    .distinct()
    .where('migration_id', '=', migrationId)
    .where('outcome', 'is', null)
    .orderBy('job_number')
    .execute();
  return rows.flatMap((row) => row.job_number ?? []);
}

/** Whether any part has no outcome yet. */
export async function hasOpenParts(db: LedgerDb, migrationId: string): Promise<boolean> {
  const row = await db
    .selectFrom('intent_part')
    .select('row_number')
    .where('migration_id', '=', migrationId)
    .where('outcome', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Settles SMS subscribes to numbers of countries without a sender as `rejected`.
 *
 * @param jobNumber only of this job; null for the whole migration
 */
export async function settleSmsWithoutSender(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number | null,
  countries: readonly string[],
): Promise<void> {
  await sql`
    update consentry.intent_part p set
      outcome = 'rejected', reason = 'phone_country_without_sender', evidence = 'guard',
      settled_at = now()
    from consentry.intent i
    where p.migration_id = ${migrationId} and p.channel::text = any(${[...TEXT_CHANNELS]}::text[])
      and p.action = 'subscribe'
      and (${jobNumber}::integer is null or p.job_number = ${jobNumber})
      and p.outcome is null and p.submission_id is null
      and i.migration_id = p.migration_id and i.row_number = p.row_number
      and (i.country is null or i.country <> all(${countries}::text[]))`.execute(db);
}
