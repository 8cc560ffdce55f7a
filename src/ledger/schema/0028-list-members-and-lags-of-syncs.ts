import { type Kysely, sql } from 'kysely';

/** What runs of syncs did to the memberships of lists, and how late they noticed what changed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table consentry.sync_run
      add column members_joined bigint not null default 0,
      add column members_left bigint not null default 0,
      -- By channel: how many changes took about how long.
      add column lags jsonb not null default '{}'`.execute(db);
}
