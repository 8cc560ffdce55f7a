import { type Kysely, sql } from 'kysely';

/**
 * When the mirror of an account last forgot people because they are gone. A reading of before that may
 * still show them, so it puts nobody into the mirror any more.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table consentry.forgetting (
      account_id text primary key,
      -- By the ledger's clock.
      forgot_at timestamptz not null
    )`.execute(db);
  await sql`
    alter table consentry.account_feed
      -- Of the feed of profiles: when somebody was left out of the mirror whom a reading of before
      -- forgetting had shown. A whole reading that began before then is not complete.
      add column missed_at timestamptz`.execute(db);
  await sql`
    -- Profiles that are kept beside others, under the id and what tells them apart. There are few.
    create index profile_apart on consentry.profile (account_id, split_part(profile_id, ' ', 1))
    where strpos(profile_id, ' ') > 0`.execute(db);
  await sql`
    create function consentry.is_of_before_forgetting(p_account text, p_read_at timestamptz)
    returns boolean language plpgsql as $$
    begin
      -- Until the transaction ends: whoever forgets people waits for it, and finds what it wrote.
      perform pg_advisory_xact_lock_shared(hashtextextended('consentry.forgetting ' || p_account, 0));
      -- A statement of its own sees what was committed while this one waited.
      return coalesce((
        select case
          -- The clock has gone back since: nobody knows which came first.
          when p_read_at > clock_timestamp() then true
          when f.forgot_at > clock_timestamp() then false
          else p_read_at <= f.forgot_at end
        from consentry.forgetting f where f.account_id = p_account), false);
    end $$`.execute(db);
}
