import { type Kysely, sql } from 'kysely';

/**
 * Adds all of Klaviyo's channels, suppressions, what was read back for each part, the share of the
 * account's limits that a run may use, and which run a run retries.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const channel of ['sms_transactional', 'whatsapp', 'push']) {
    await sql`alter type consentry.channel add value if not exists ${sql.lit(channel)} before 'list'`.execute(
      db,
    );
  }
  await sql`alter type consentry.operation add value if not exists 'suppress' before 'unsubscribe'`.execute(
    db,
  );

  await sql`
    alter table consentry.intent
      add column date_of_birth date,
      add column push_token text,
      add column push_platform text check (push_platform in ('ios', 'android'))`.execute(db);

  await sql`
    alter table consentry.intent_part
      -- The consent as it was read back, and when it was last read.
      add column consent_after text,
      add column consent_after_at timestamptz,
      add column read_at timestamptz`.execute(db);

  await sql`
    alter table consentry.job
      -- Sent and settled before all other jobs, to see whether the run does what it should.
      add column canary boolean not null default false`.execute(db);

  await sql`
    alter table consentry.migration
      -- Part of the account's limits, 0 to 1.
      add column share real not null default 1 check (share > 0 and share <= 1),
      add column retry_of text references consentry.migration on delete set null`.execute(db);

  await sql`
    create table consentry.event_feed (
      migration_id text not null references consentry.migration on delete cascade,
      metric text not null,
      -- Where the next read begins, and the newest datetime that was read, as Klaviyo writes it.
      since text not null,
      newest text not null,
      primary key (migration_id, metric)
    )`.execute(db);

  // Finds everything ever done about a person, in any migration.
  await sql`create index intent_person_email on consentry.intent (email) where email is not null`.execute(
    db,
  );
  await sql`
    create index intent_person_phone on consentry.intent (phone_number)
    where phone_number is not null`.execute(db);
  // People who have not clicked yet are looked up for days, among millions who are settled.
  await sql`
    create index intent_part_pending on consentry.intent_part (migration_id, row_number)
    where outcome = 'pending_double_opt_in'`.execute(db);

  await shareBetweenRuns(db);
}

/**
 * `grant_call` with a second pair of limits for the run that asks: it may use part of the account's
 * limits, and other runs use the rest.
 */
async function shareBetweenRuns(db: Kysely<unknown>): Promise<void> {
  await sql`alter table consentry.granted_call add column run text`.execute(db);
  await sql`
    create index granted_call_of_run on consentry.granted_call (account, endpoint, run, granted_at desc)
    where run is not null`.execute(db);
  await sql`drop function consentry.grant_call(text, text, integer, integer, integer)`.execute(db);
  await sql`
    create function consentry.grant_call(
      p_account text, p_endpoint text, p_burst integer, p_steady integer, p_max_wait_ms integer,
      p_run text, p_run_burst integer, p_run_steady integer
    ) returns table (granted boolean, wait_ms integer) language plpgsql as $$
    declare
      moment timestamptz;
      slot timestamptz;
    begin
      perform pg_advisory_xact_lock(hashtextextended('consentry.grant_call ' || p_account || ' ' || p_endpoint, 0));
      moment := clock_timestamp();
      slot := greatest(
        moment,
        (select max(g.granted_at) from consentry.granted_call g
          where g.account = p_account and g.endpoint = p_endpoint),
        (select g.granted_at + interval '1100 milliseconds' from consentry.granted_call g
          where g.account = p_account and g.endpoint = p_endpoint
          order by g.granted_at desc offset p_burst - 1 limit 1),
        (select g.granted_at + interval '60.5 seconds' from consentry.granted_call g
          where g.account = p_account and g.endpoint = p_endpoint
          order by g.granted_at desc offset p_steady - 1 limit 1),
        (select p.until from consentry.penalty p
          where p.account = p_account and p.endpoint = p_endpoint));
      if p_run is not null then
        slot := greatest(
          slot,
          (select g.granted_at + interval '1100 milliseconds' from consentry.granted_call g
            where g.account = p_account and g.endpoint = p_endpoint and g.run = p_run
            order by g.granted_at desc offset p_run_burst - 1 limit 1),
          (select g.granted_at + interval '60.5 seconds' from consentry.granted_call g
            where g.account = p_account and g.endpoint = p_endpoint and g.run = p_run
            order by g.granted_at desc offset p_run_steady - 1 limit 1));
      end if;
      granted := slot <= moment + make_interval(secs => p_max_wait_ms / 1000.0);
      wait_ms := ceil(extract(epoch from slot - moment) * 1000);
      if granted then
        insert into consentry.granted_call values (p_account, p_endpoint, slot, p_run);
        if random() < 0.01 then
          delete from consentry.granted_call g
            where g.account = p_account and g.endpoint = p_endpoint
              and g.granted_at < moment - interval '2 minutes';
        end if;
      end if;
      return next;
    end $$`.execute(db);
}
