import { type Kysely, sql } from 'kysely';

/**
 * Runs that are bound to an account; a stop, a pause and a refused key as facts that every call asks;
 * places in feeds that are kept page by page; and submissions in Klaviyo's time.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // An account that a worker has shown its key for.
  await sql`
    create table consentry.account (
      id text primary key,
      first_seen_at timestamptz not null default now(),
      seen_at timestamptz not null default now()
    )`.execute(db);

  await sql`
    alter table consentry.migration
      -- From then on nothing more is submitted, and why what was not sent was not.
      add column stopped_at timestamptz,
      add column stop_reason text,
      -- The newest word of a person about pausing: an older one that comes late changes nothing.
      add column steering bigint not null default 0,
      -- Why calls of the run wait for a person, such as a key that Klaviyo refuses.
      add column held text`.execute(db);

  // lost: no answer came, it was read back, and what did not land may be sent again.
  await sql`alter table consentry.submission drop constraint submission_status_check`.execute(db);
  await sql`
    alter table consentry.submission
      add constraint submission_status_check check
        (status in ('sending', 'accepted', 'refused', 'not_sent', 'ambiguous', 'lost')),
      -- The earliest that Klaviyo's own clock can have shown when the call was made.
      add column klaviyo_sent_at timestamptz`.execute(db);

  // The page that is read next, where the last read ended before its last page.
  await sql`alter table consentry.list_feed add column cursor text`.execute(db);
  await sql`alter table consentry.event_feed add column cursor text`.execute(db);
}
