import { type Kysely, sql } from 'kysely';

/**
 * A new list has a run, to which its calls belong. And the settings of programs that were applied
 * last: they outlive their migrations, and hold no person and no secret.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table consentry.run drop constraint run_kind,
    add constraint run_kind check (kind in ('migration', 'check', 'person', 'list'))`.execute(db);
  await sql`
    create table consentry.applied_program (
      account_id text not null,
      program text not null,
      settings jsonb not null,
      -- Of the settings, to compare them.
      hash text not null,
      -- The migration that was run for them; null if none was. It may be deleted with its people.
      migration_id text,
      applied_at timestamptz not null default now(),
      primary key (account_id, program)
    )`.execute(db);
}
