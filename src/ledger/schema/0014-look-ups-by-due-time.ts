import { type Kysely, sql } from 'kysely';

/**
 * A job knows when its open rows are looked up next, instead of how often they were. Those of running
 * jobs are due at once: their reader puts off what is too early.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table consentry.job add column look_up_at timestamptz`.execute(db);
  await sql`
    update consentry.job set look_up_at = accepted_at
    where accepted_at is not null and woken_at is null`.execute(db);
  await sql`alter table consentry.job drop column looked_up_at, drop column looks`.execute(db);
  await sql`
    create index job_look_up on consentry.job (migration_id, look_up_at)
    where look_up_at is not null`.execute(db);
}
