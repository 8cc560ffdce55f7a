import { type Kysely, sql } from 'kysely';

/**
 * A million rows are updated once with their consent before the run. With free space on the page
 * and no unneeded index, each update stays on its page. The profile ids were written and never
 * read.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table consentry.intent
      drop column email_profile_id, drop column phone_profile_id,
      set (fillfactor = 60)`.execute(db);
  // One index per identifier, for a person in any migration and for the people of one.
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
