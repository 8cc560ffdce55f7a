import { type Kysely, sql } from 'kysely';
import { RUN_KINDS } from '../../contracts/run.js';

/** The columns of `migration` that every kind of run has. They move to `run`. */
const MOVED = [
  'account_id',
  'request_hash',
  'share',
  'paused',
  'steering',
  'stopped_at',
  'stop_reason',
  'held',
  'created_at',
  'finished_at',
] as const;

/** The tables that belong to a run of any kind. */
const OF_RUNS = ['call_count', 'list_feed', 'event_feed'] as const;

/**
 * Calls, positions in feeds and shares of the limits belong to a run. A migration is one kind of
 * run, with the same id; a check and a question about a person are others.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const kinds = sql.raw(RUN_KINDS.map((kind) => `'${kind}'`).join(', '));
  await sql`
    create table consentry.run (
      id text primary key,
      kind text not null constraint run_kind check (kind in (${kinds})),
      -- The account that its calls are for; null if the run began before accounts were bound.
      account_id text,
      -- Hash of what decides whether two runs ask for the same; null if two may run at once.
      request_hash text,
      -- Part of the account's limits, 0 to 1.
      share real not null default 1 check (share > 0 and share <= 1),
      paused boolean not null default false,
      -- The newest instruction to pause or resume: an older one that arrives late changes nothing.
      steering bigint not null default 0,
      -- Since when nothing more is submitted, and why the unsent parts were not sent.
      stopped_at timestamptz,
      stop_reason text,
      -- Why its calls wait until somebody acts, such as a key that Klaviyo refuses.
      held text,
      created_at timestamptz not null default now(),
      finished_at timestamptz
    )`.execute(db);
  // A worker or a load of the version before may be under way: what it writes must not fall between.
  await sql`
    lock table consentry.migration, consentry.person_request in access exclusive mode`.execute(db);
  // Questions live for an hour, and whoever asked one asks again.
  await sql`delete from consentry.person_request`.execute(db);
  const moved = sql.join(MOVED.map((column) => sql.ref(column)));
  await sql`
    insert into consentry.run (id, kind, ${moved})
    select id, 'migration', ${moved} from consentry.migration`.execute(db);

  // Only one unfinished run per request, even if two are started at the same moment.
  await sql`drop index consentry.migration_running`.execute(db);
  await sql`
    create unique index run_unfinished on consentry.run (request_hash)
    where finished_at is null`.execute(db);
  await sql`
    create index run_of_account on consentry.run (account_id) where kind = 'migration'`.execute(db);
  for (const column of MOVED) {
    await sql`alter table consentry.migration drop column ${sql.ref(column)}`.execute(db);
  }
  for (const table of ['migration', 'person_request']) {
    await sql`
      alter table consentry.${sql.ref(table)}
      add foreign key (id) references consentry.run on delete cascade`.execute(db);
  }
  for (const table of OF_RUNS) {
    const name = sql.raw(`consentry.${table}`);
    await sql`alter table ${name} rename column migration_id to run_id`.execute(db);
    await sql`
      alter table ${name} drop constraint ${sql.raw(`${table}_migration_id_fkey`)},
      add foreign key (run_id) references consentry.run on delete cascade`.execute(db);
  }

  // Deleting a migration by hand deletes its run as well, and so everything that belongs to it.
  await sql`
    create or replace function consentry.delete_people() returns trigger language plpgsql as $$
    begin
      delete from consentry.intent_part where migration_id = old.id;
      delete from consentry.intent where migration_id = old.id;
      delete from consentry.run where id = old.id;
      return null;
    end $$`.execute(db);
}
