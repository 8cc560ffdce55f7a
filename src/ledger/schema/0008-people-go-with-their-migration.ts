import { type Kysely, sql } from 'kysely';

/**
 * Deleting a migration deletes its people. The two large tables have no foreign keys, which would
 * be checked for every row of a load. This trigger replaces them, also when a run is deleted by
 * hand.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function consentry.delete_people() returns trigger language plpgsql as $$
    begin
      delete from consentry.intent_part where migration_id = old.id;
      delete from consentry.intent where migration_id = old.id;
      return null;
    end $$`.execute(db);
  await sql`
    create trigger delete_people after delete on consentry.migration
    for each row execute function consentry.delete_people()`.execute(db);
  await sql`
    delete from consentry.intent_part p
    where not exists (select from consentry.migration m where m.id = p.migration_id)`.execute(db);
  await sql`
    delete from consentry.intent i
    where not exists (select from consentry.migration m where m.id = i.migration_id)`.execute(db);
}
