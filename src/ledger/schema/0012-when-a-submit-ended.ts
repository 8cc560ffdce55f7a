import { type Kysely, sql } from 'kysely';

/** A job knows since when nothing of it is left to send. Of older jobs only the acceptance is known. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table consentry.job add column submit_ended_at timestamptz`.execute(db);
  await sql`
    update consentry.job set submit_ended_at = accepted_at where accepted_at is not null`.execute(
    db,
  );
}
