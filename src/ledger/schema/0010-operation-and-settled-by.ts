import { type Kysely, sql } from 'kysely';

/** A part has the operation of the job that carries it, and says what settled it: one word for each. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table consentry.intent_part rename column action to operation`.execute(db);
  await sql`alter table consentry.intent_part rename column evidence to settled_by`.execute(db);
}
