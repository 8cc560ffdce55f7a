import { type Kysely, sql } from 'kysely';

/**
 * A million rows are updated once for their consent before the run: with room on their page and
 * without an index too many that stays on the page. The profile ids were written and never read.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table consentry.intent
      drop column email_profile_id, drop column phone_profile_id,
      set (fillfactor = 60)`.execute(db);
  // One index each, for a person of any migration and for the people of one.
  for (const name of [
    'intent_email',
    'intent_phone',
    'intent_person_email',
    'intent_person_phone',
  ]) {
    await sql`drop index consentry.${sql.ref(name)}`.execute(db);
  }
  await sql`
    create index intent_email on consentry.intent (email, migration_id)
    where email is not null`.execute(db);
  await sql`
    create index intent_phone on consentry.intent (phone_number, migration_id)
    where phone_number is not null`.execute(db);
}
