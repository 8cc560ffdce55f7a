import { type Kysely, sql } from 'kysely';

/**
 * Questions about one person and their answers, passed between the CLI, which has no key, and a
 * worker. Only the id goes through Temporal. A row lives for an hour at most.
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
