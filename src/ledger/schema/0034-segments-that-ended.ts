import { type Kysely, sql } from 'kysely';

/**
 * A program that is not in the file any more asks for nobody: its segment keeps nobody on a list, or subscribed,
 * whom another one lets go.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table consentry.segment
      -- When its program was taken out of the file; null while it counts. Its next run makes it count again.
      add column ended_at timestamptz`.execute(db);
  // Until now nothing was noted of them, but that they were forgotten.
  await sql`
    update consentry.segment g set ended_at = now()
    where activation is null and not exists (select from consentry.applied_program a
      where a.account_id = g.account_id and a.program = g.program)`.execute(db);
}
