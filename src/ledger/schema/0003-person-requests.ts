import { type Kysely, sql } from 'kysely';

/**
 * Questions about one person and their answers, on their way between the CLI, which has no key, and
 * a worker: what goes through Temporal is the id. A row lives for an hour at most.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table consentry.person_request (
      id text primary key,
      identifier jsonb not null,
      result jsonb,
      created_at timestamptz not null default now()
    )`.execute(db);
}
