import { type Kysely, sql } from 'kysely';

/**
 * Binds runs to an account. Stores a stop, a pause and a refused key as facts that every call
 * checks, positions in feeds page by page, and the time of submissions by Klaviyo's clock.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // An account whose key a worker has proved.
  await sql`
    create table consentry.account (
      id text primary key,
      first_seen_at timestamptz not null default now(),
      seen_at timestamptz not null default now()
    )`.execute(db);

  await sql`
    alter table consentry.migration
      -- Since when nothing more is submitted, and why the unsent parts were not sent.
      add column stopped_at timestamptz,
      add column stop_reason text,
      -- The newest instruction to pause or resume: an older one that arrives late changes nothing.
      add column steering bigint not null default 0,
      -- Why calls of the run wait until somebody acts, such as a key that Klaviyo refuses.
      add column held text`.execute(db);

  // lost: no answer came, the result was read back, and what was not applied may be sent again.
  await sql`alter table consentry.submission drop constraint submission_status_check`.execute(db);
  await sql`
    alter table consentry.submission
      add constraint submission_status_check check
        (status in ('sending', 'accepted', 'refused', 'not_sent', 'ambiguous', 'lost')),
      -- The earliest time that Klaviyo's own clock can have shown when the call was made.
      add column klaviyo_sent_at timestamptz`.execute(db);

  // The page that is read next, if the last read stopped before the last page.
  await sql`alter table consentry.list_feed add column cursor text`.execute(db);
  await sql`alter table consentry.event_feed add column cursor text`.execute(db);
}
