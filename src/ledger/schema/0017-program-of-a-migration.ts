import { type Kysely, sql } from 'kysely';

/** Which program of a `consentry.yaml` a migration belongs to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table consentry.migration add column program text`.execute(db);
  await sql`
    create index migration_program on consentry.migration (program)
    where program is not null`.execute(db);
}
