import { type Kysely, sql } from 'kysely';

/**
 * Whether somebody may be at Klaviyo because of their segment. A state alone forgets it: a later run may
 * fail for them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table consentry.segment_part
      add column may_be_at_klaviyo boolean not null default false`.execute(db);
  await sql`
    update consentry.segment_part set may_be_at_klaviyo = true where state <> 'absent'`.execute(db);
}
