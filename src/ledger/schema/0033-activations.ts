import { type Kysely, sql } from 'kysely';
import { ACTIVATION_STATES } from '../../contracts/activation.js';

/** Segments that run by themselves, and what became of their runs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table consentry.segment
      -- What a worker needs to run it; null if only people do.
      add column activation jsonb,
      add column activated_at timestamptz,
      -- Of its last comparison: a ledger that was restored from a backup has an older one than its runs say.
      add column generation integer not null default 0,
      -- What its operator has been told that is not well, such as a run that waits; null while all is well.
      add column alerted text,
      add column notice_begun_at timestamptz`.execute(db);
  await sql`
    create table consentry.segment_run (
      started_at timestamptz not null default now(),
      finished_at timestamptz,
      segment_number integer not null references consentry.segment on delete cascade,
      id text primary key,
      -- Null if a person ran it by hand.
      workflow_id text,
      state text not null check (state in (${sql.raw(ACTIVATION_STATES.map((state) => `'${state}'`).join(', '))})),
      -- Counts of people.
      found jsonb,
      migration_id text,
      -- Of its comparison.
      generation integer,
      -- Why it waits, failed or did nothing.
      why text
    )`.execute(db);
  await sql`
    create index segment_part_not_read_back on consentry.segment_part (segment_number)
    where reason = 'opt_out_not_read_back'`.execute(db);
  await sql`
    create index segment_run_of on consentry.segment_run (segment_number, started_at)`.execute(db);
}
