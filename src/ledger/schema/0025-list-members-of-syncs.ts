import { type Kysely, sql } from 'kysely';

/** What runs of syncs did to the memberships of lists. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table consentry.sync_run
      add column members_joined bigint not null default 0,
      add column members_left bigint not null default 0`.execute(db);
}
