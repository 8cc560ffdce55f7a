import { type Kysely, sql } from 'kysely';

/** Which events webhooks told of, and the runs that are wanted because of them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table consentry.webhook_event (
      sync_id text not null references consentry.sync on delete cascade,
      -- SHA-256 of Klaviyo's id of the event; nothing else of it is kept.
      id_hash bytea not null,
      seen_at timestamptz not null default now(),
      primary key (sync_id, id_hash)
    )`.execute(db);
  await sql`create index webhook_event_seen on consentry.webhook_event (sync_id, seen_at)`.execute(
    db,
  );
  await sql`
    create table consentry.wanted_run (
      sync_id text primary key references consentry.sync on delete cascade,
      -- Of the first event since a run began; null if no run is wanted.
      since timestamptz,
      -- Of the last event: a run that began before may have read past it.
      last_at timestamptz not null default now(),
      -- When it was last tried to start one.
      tried_at timestamptz
    )`.execute(db);
}
