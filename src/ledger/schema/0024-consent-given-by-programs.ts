import { type Kysely, sql } from 'kysely';

/**
 * What a program gave, for the run that takes it back; and what was done about the people of the
 * channels that were switched off.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table consentry.given_consent (
      -- When it was given: what was sent if it was back-dated, and what Klaviyo showed, if a profile did.
      consented_at timestamptz,
      shown_at timestamptz,
      -- By Klaviyo's clock: before the call that gave it, and when it had been read back.
      sent_at timestamptz not null,
      read_back_at timestamptz not null,
      migration_number integer not null,
      row_number integer not null,
      channel consentry.channel not null,
      -- The custom source of that call.
      source text not null,
      -- A program whose source had the person when the run was started; null if none had.
      asked_by text,
      primary key (migration_number, row_number, channel)
    )`.execute(db);
  await sql`
    alter table consentry.applied_program
      -- By channel that was switched off: what was done about its people, and by which migration.
      add column off jsonb not null default '{}'`.execute(db);
  await sql`
    create or replace function consentry.delete_people() returns trigger language plpgsql as $$
    begin
      delete from consentry.job_channel where migration_number = old.number;
      delete from consentry.carried where migration_number = old.number;
      delete from consentry.reading where migration_number = old.number;
      delete from consentry.consent_before where migration_number = old.number;
      delete from consentry.given_consent where migration_number = old.number;
      delete from consentry.settlement where migration_number = old.number;
      delete from consentry.membership where migration_number = old.number;
      delete from consentry.intent where migration_number = old.number;
      delete from consentry.run where id = old.id;
      return null;
    end $$`.execute(db);
}
