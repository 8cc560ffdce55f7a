import { sql } from 'kysely';
import type { Reason } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';
import { AlreadyRunningError, isUniqueViolation } from './intents.js';
import { insertMigration, type NewMigration } from './migrations.js';

/** Refusals that may no longer apply: the account or Klaviyo's rules can have changed since. */
const RETRIED_REASONS: readonly Reason[] = [
  'klaviyo_refused',
  'klaviyo_refused_phone',
  'klaviyo_refused_email',
  'klaviyo_refused_age',
  'phone_dropped_by_klaviyo',
  'phone_country_without_sender',
  'sms_not_configured',
];

/**
 * Creates a migration from the failed parts of another one: parts that were never confirmed, that
 * were not sent, or that Klaviyo refused. Parts that the importer refused are left out, since the
 * source must be fixed first; those that may be opt-outs still count in the new migration
 * (`settleDuplicates`). Line numbers are those of the source. The old migration stays as it is.
 *
 * @returns rows of the new migration; with 0, nothing is stored
 * @throws AlreadyRunningError
 */
export async function copyFailedIntents(db: LedgerDb, migration: NewMigration): Promise<number> {
  return db.transaction().execute(async (tx) => {
    for (const insert of insertMigration(tx, migration)) {
      await tx.executeQuery(insert).catch((error: unknown) => {
        throw isUniqueViolation(error) ? new AlreadyRunningError(migration.id) : error;
      });
    }
    const { id, retryOf } = migration;
    const inserted = await sql`
      with failed as (
        select p.* from consentry.intent_part p
        where p.migration_id = ${retryOf} and (p.outcome in ('unconfirmed', 'cancelled')
          or (p.outcome = 'rejected' and p.settled_by <> 'importer'
            and p.reason = any(${[...RETRIED_REASONS]}::text[])))
          -- These people opted out. Klaviyo may still show them as subscribed, but that is not
          -- consent.
          and p.reason is distinct from 'opt_out_not_read_back'
      ), numbered as (
        select row_number, row_number() over (order by row_number)::integer as new_number
        from (select distinct row_number from failed) f
      ), parts as (
        insert into consentry.intent_part
          (migration_id, row_number, channel, operation, consented_at, note)
        select ${id}, n.new_number, f.channel, f.operation, f.consented_at, f.note
        from failed f join numbered n using (row_number)
      )
      insert into consentry.intent (migration_id, row_number, line, email, phone_number, country,
        raw_email, raw_phone, date_of_birth, push_token, push_platform)
      select ${id}, n.new_number, i.line, i.email, i.phone_number, i.country,
        i.raw_email, i.raw_phone, i.date_of_birth, i.push_token, i.push_platform
      from consentry.intent i join numbered n using (row_number)
      where i.migration_id = ${retryOf}`.execute(tx);
    const rows = Number(inserted.numAffectedRows ?? 0n);
    if (rows === 0) await tx.deleteFrom('run').where('id', '=', id).execute();
    return rows;
  });
}
