import { type Kysely, sql } from 'kysely';

/** A part has the operation of its job, and `settled_by` says what settled it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table consentry.intent_part rename column action to operation`.execute(db);
  await sql`alter table consentry.intent_part rename column evidence to settled_by`.execute(db);
}
