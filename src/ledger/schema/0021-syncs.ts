import { type Kysely, sql } from 'kysely';

/**
 * Syncs of consent into other databases, and their runs. A sync outlives its runs; its generation is
 * that of the marker in its destination.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table consentry.run drop constraint run_kind,
    add constraint run_kind check (kind in ('migration', 'check', 'person', 'list', 'sync'))`.execute(
    db,
  );
  await sql`
    create table consentry.sync (
      id text primary key,
      account_id text not null,
      -- Of the sync in a consentry.yaml; null if it was asked for without one.
      name text,
      -- Where it writes, without secrets: two syncs never share a table.
      destination text not null unique,
      settings jsonb not null,
      generation bigint not null default 0,
      -- The destination that has this generation; another one, after a move, has none yet.
      written_to text,
      -- Since when its operator has been told that it is late or failed; null while it is well.
      alerted_at timestamptz,
      created_at timestamptz not null default now(),
      unique (account_id, name)
    )`.execute(db);
  await sql`
    create table consentry.sync_run (
      id text primary key references consentry.run on delete cascade,
      sync_id text not null references consentry.sync on delete cascade,
      -- The execution that works for it.
      workflow_id text not null,
      -- A validation compares some rows, and writes nothing.
      does text not null check (does in ('sync', 'validation')),
      whole text check (whole in ('first', 'sweep')),
      -- The address of the destination where only this run knows it; removed at its end.
      secret text,
      read bigint not null default 0,
      added bigint not null default 0,
      changed bigint not null default 0,
      removed bigint not null default 0,
      drift jsonb not null default '{}',
      -- What a validation found; taken by whoever asked for it.
      found jsonb,
      -- By the execution that works for it; whoever is silent for long is taken for dead.
      seen_at timestamptz not null default now(),
      -- What a person has to know of a run that did all it should.
      warning text,
      failure text
    )`.execute(db);
  await sql`create index sync_run_sync on consentry.sync_run (sync_id)`.execute(db);
}
