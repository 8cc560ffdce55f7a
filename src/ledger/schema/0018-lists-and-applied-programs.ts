import { type Kysely, sql } from 'kysely';

/** A new list has a run, to which its calls belong. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table consentry.run drop constraint run_kind,
    add constraint run_kind check (kind in ('migration', 'check', 'person', 'list'))`.execute(db);
}
