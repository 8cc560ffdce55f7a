import { type Kysely, sql } from 'kysely';

/**
 * Known opt-outs from any source: the account's feeds, a run that opted people out, a profile that
 * was read. And people whom a run subscribed although they had opted out meanwhile, until they are
 * unsubscribed again.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table consentry.opt_out (
      account_id text not null,
      -- E-mail in lower case, or E.164.
      identifier text not null,
      channel consentry.channel not null,
      -- The list, for an opt-out of one list; empty for an opt-out of everything.
      list_id text not null default '',
      -- By Klaviyo's clock.
      opted_out_at timestamptz not null,
      source text not null
        check (source in ('suppression', 'list_suppression', 'event', 'profile', 'submission')),
      -- The submission that asked for it, if it was ours; 0 if a feed or a profile showed it. In
      -- the key, so that one run's opt-out stays whatever happens to another run's call.
      submission_id bigint not null default 0,
      -- When Klaviyo first showed it; null if it was asked for and not read back yet.
      shown_at timestamptz,
      noted_at timestamptz not null default clock_timestamp(),
      primary key (account_id, identifier, channel, list_id, source, submission_id)
    )`.execute(db);
  await sql`create index opt_out_noted on consentry.opt_out (account_id, noted_at)`.execute(db);
  await sql`
    create index opt_out_asked on consentry.opt_out (submission_id)
    where submission_id <> 0`.execute(db);

  await sql`
    create table consentry.opt_out_feed (
      account_id text not null,
      -- suppressions, suppressions_by_hand, list:ID or metric:ID
      feed text not null,
      -- Where the next read begins, by Klaviyo's clock.
      since timestamptz not null,
      -- When the last complete read began, by our clock; null before the first.
      read_at timestamptz,
      -- How long that read took.
      took_ms float8 not null default 0,
      -- The key may not read it.
      unreadable boolean not null default false,
      -- Lease of the worker that reads it; until then others wait.
      reading_until timestamptz,
      primary key (account_id, feed)
    )`.execute(db);

  await sql`
    create table consentry.repair (
      migration_id text not null references consentry.migration on delete cascade,
      row_number integer not null,
      channel consentry.channel not null,
      opted_out_at timestamptz not null,
      -- When the person was first read as subscribed after opting out.
      subscribed_seen_at timestamptz,
      -- When Klaviyo last accepted the opt-out that undoes it.
      unsubscribed_at timestamptz,
      -- From then on nothing that the run sent can subscribe the person any more.
      closed_at timestamptz,
      primary key (migration_id, row_number, channel)
    )`.execute(db);

  // Opt-outs stored before this have been checked for repairs; null before the first check.
  await sql`alter table consentry.migration add column repairs_noted_at timestamptz`.execute(db);
}
