import { sql } from 'kysely';
import { CHANNELS } from '../../contracts/channels.js';
import type { Reason } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';
import { keepRows } from '../erasure/rows.js';
import { enumChannel, numberOf } from '../parts.js';
import { AlreadyRunningError, isUniqueViolation } from './storing.js';
import { insertMigration, type NewMigration } from './migrations.js';

/** Whether a run has the people of a segment. They came and went by a comparison, which its rows do not repeat. */
export async function isOfSegment(db: LedgerDb, migrationId: string): Promise<boolean> {
  const { rows } = await sql<{ is: boolean }>`
    select exists (select from consentry.intent i
      where i.migration_number = ${numberOf(migrationId)} and i.member_key is not null) as is`.execute(
    db,
  );
  return rows[0]?.is ?? false;
}

/** Refusals that may no longer apply: the account or Klaviyo's rules can have changed since. */
const RETRIED_REASONS: readonly Reason[] = [
  'klaviyo_refused',
  'klaviyo_refused_phone',
  'klaviyo_refused_email',
  'klaviyo_refused_age',
  'phone_dropped_by_klaviyo',
  'phone_country_without_sender',
  'sms_not_configured',
  'not_moved',
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
    await keepRows(sql`m.id = ${migration.retryOf}`).execute(tx);
    for (const insert of insertMigration(tx, migration)) {
      await tx.executeQuery(insert).catch((error: unknown) => {
        throw isUniqueViolation(error) ? new AlreadyRunningError(migration.id) : error;
      });
    }
    const { id, retryOf } = migration;
    const asked = CHANNELS.flatMap((channel) =>
      (['operation', 'consented_at', 'note'] as const).map((column) => ({
        name: sql.ref(`${channel}_${column}`),
        value: sql`max(failed.${sql.ref(column)}) filter
          (where failed.channel = ${enumChannel(channel)})`,
      })),
    );
    const inserted = await sql`
      with failed as (
        select p.* from consentry.part p
        where p.migration_id = ${retryOf} and (p.outcome in ('unconfirmed', 'cancelled')
          or (p.outcome = 'rejected' and p.settled_by <> 'importer'
            and p.reason = any(${[...RETRIED_REASONS]}::text[])))
          -- These people opted out. Klaviyo may still show them as subscribed, but that is not
          -- consent.
          and p.reason is distinct from 'opt_out_not_read_back'
      )
      insert into consentry.intent (migration_number, row_number, line, email, phone_number, country,
        raw_email, raw_phone, date_of_birth, push_token, push_platform,
        ${sql.join(asked.map(({ name }) => name))})
      select ${numberOf(id)}, row_number() over (order by i.row_number), i.line, i.email,
        i.phone_number, i.country, i.raw_email, i.raw_phone, i.date_of_birth, i.push_token,
        i.push_platform, ${sql.join(asked.map(({ name }) => sql`asked.${name}`))}
      from (
        select failed.migration_number, failed.row_number,
          ${sql.join(asked.map(({ name, value }) => sql`${value} as ${name}`))}
        from failed group by failed.migration_number, failed.row_number
      ) asked
      join consentry.intent i using (migration_number, row_number)
      -- Nobody can be asked again who was erased.
      where not i.erased`.execute(tx);
    const rows = Number(inserted.numAffectedRows ?? 0n);
    // The lines of a run that takes back what its program gave are its row numbers.
    await sql`
      insert into consentry.given_consent (migration_number, row_number, channel, source,
        consented_at, shown_at, sent_at, read_back_at, asked_by)
      select retry.migration_number, retry.row_number, g.channel, g.source, g.consented_at,
        g.shown_at, g.sent_at, g.read_back_at, g.asked_by
      from consentry.given_consent g
      join consentry.intent i using (migration_number, row_number)
      join consentry.intent retry on retry.migration_number = ${numberOf(id)} and retry.line = i.line
      where g.migration_number = ${numberOf(retryOf ?? '')}`.execute(tx);
    await sql`
      update consentry.migration m set rows = ${rows}, channels = retried.channels
      from consentry.migration retried where m.id = ${id} and retried.id = ${retryOf}`.execute(tx);
    if (rows === 0) await tx.deleteFrom('run').where('id', '=', id).execute();
    return rows;
  });
}
