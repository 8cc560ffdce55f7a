import { type Kysely, sql } from 'kysely';
import { CHANNELS, OPERATION_NAMES } from '../../contracts/channels.js';
import { OUTCOMES } from '../../contracts/outcomes.js';

/** A list of constants as SQL string literals. They are our own identifiers, never input. */
const literals = (values: readonly string[]) => sql.raw(values.map((v) => `'${v}'`).join(', '));

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create type consentry.channel as enum (${literals(CHANNELS)})`.execute(db);
  await sql`create type consentry.operation as enum (${literals(OPERATION_NAMES)})`.execute(db);
  // In the order of precedence: min(outcome) over a row's parts is the row's outcome.
  await sql`create type consentry.outcome as enum (${literals(OUTCOMES)})`.execute(db);

  await sql`
    create table consentry.migration (
      id text primary key,
      source_name text not null,
      source_sha256 text not null,
      preset text not null,
      settings jsonb not null,
      -- Hash of what decides whether two runs ask for the same: source and settings.
      request_hash text not null,
      account_id text,
      preflight jsonb,
      plan jsonb,
      phase text not null default 'preflight',
      paused boolean not null default false,
      failure text,
      created_at timestamptz not null default now(),
      finished_at timestamptz
    )`.execute(db);

  // Only one running migration per request, even if two are started at the same moment.
  await sql`
    create unique index migration_running on consentry.migration (request_hash)
    where finished_at is null`.execute(db);

  await sql`
    create table consentry.intent (
      -- No foreign keys on the two large tables: their rows are only written by storeIntents, in one
      -- transaction with their migration, and a check per row would cost most of a load's time.
      migration_id text not null,
      row_number integer not null,
      line integer not null,
      email text,
      phone_number text,
      country text,
      raw_email text,
      raw_phone text,
      -- The profiles that Klaviyo has for the two identifiers; two ids if they are two people.
      email_profile_id text,
      phone_profile_id text,
      -- Whether phone and e-mail may go to Klaviyo as one profile without merging or moving anything.
      one_profile boolean not null default true,
      consent_read_at timestamptz,
      primary key (migration_id, row_number)
    ) with (fillfactor = 80)`.execute(db);
  await sql`create index intent_email on consentry.intent (migration_id, email)`.execute(db);
  await sql`create index intent_phone on consentry.intent (migration_id, phone_number)`.execute(db);

  await sql`
    create table consentry.submission (
      id bigint generated always as identity primary key,
      migration_id text not null references consentry.migration on delete cascade,
      job_number integer not null,
      endpoint text not null,
      status text not null check (status in ('sending', 'accepted', 'refused', 'not_sent', 'ambiguous')),
      rows integer not null,
      partial_failure text,
      request_id text,
      sent_at timestamptz not null default now(),
      answered_at timestamptz
    )`.execute(db);
  await sql`create index submission_job on consentry.submission (migration_id, job_number)`.execute(
    db,
  );

  await sql`
    create table consentry.intent_part (
      migration_id text not null,
      row_number integer not null,
      channel consentry.channel not null,
      action consentry.operation not null,
      consented_at timestamptz,
      note text,
      job_number integer,
      submission_id bigint,
      -- The consent that Klaviyo held before the run.
      consent_before text,
      consent_before_at timestamptz,
      outcome consentry.outcome,
      reason text,
      evidence text,
      settled_at timestamptz,
      primary key (migration_id, row_number, channel),
      check ((outcome is null) = (settled_at is null))
    ) with (fillfactor = 70)`.execute(db);
  await sql`create index intent_part_job on consentry.intent_part (migration_id, job_number)`.execute(
    db,
  );

  await sql`
    create table consentry.job (
      migration_id text not null references consentry.migration on delete cascade,
      job_number integer not null,
      operation consentry.operation not null,
      rows integer not null,
      -- The newest acceptance by Klaviyo.
      accepted_at timestamptz,
      -- When the reader last looked up its open rows, for jobs that no feed can prove.
      looked_up_at timestamptz,
      looks integer not null default 0,
      woken_at timestamptz,
      primary key (migration_id, job_number)
    )`.execute(db);

  await sql`
    create table consentry.list_feed (
      migration_id text primary key references consentry.migration on delete cascade,
      -- Where the next read begins, and the newest joined_group_at that was read: as Klaviyo's own
      -- text, which keeps the microseconds.
      joined_since text not null,
      newest text not null
    )`.execute(db);

  await sql`
    create table consentry.call_count (
      migration_id text not null references consentry.migration on delete cascade,
      endpoint text not null,
      status text not null,
      calls bigint not null,
      duration_ms bigint not null,
      primary key (migration_id, endpoint, status)
    )`.execute(db);

  await createLimiter(db);
}

/**
 * The limiter: a log of granted calls. A call is granted for the first moment at which no second
 * and no minute that contains it exceeds the limit, so it is safe wherever Klaviyo's fixed windows
 * begin. Our windows are a little longer, since calls can arrive closer together than they were
 * granted. The tables are unlogged: when the server is back after a crash, the windows are over.
 */
async function createLimiter(db: Kysely<unknown>): Promise<void> {
  await sql`
    create unlogged table consentry.granted_call (
      account text not null,
      endpoint text not null,
      granted_at timestamptz not null
    )`.execute(db);
  await sql`create index granted_call_at on consentry.granted_call (account, endpoint, granted_at desc)`.execute(
    db,
  );
  await sql`
    create unlogged table consentry.penalty (
      account text not null,
      endpoint text not null,
      until timestamptz not null,
      primary key (account, endpoint)
    )`.execute(db);
  await sql`
    create function consentry.grant_call(
      p_account text, p_endpoint text, p_burst integer, p_steady integer, p_max_wait_ms integer
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
      granted := slot <= moment + make_interval(secs => p_max_wait_ms / 1000.0);
      wait_ms := ceil(extract(epoch from slot - moment) * 1000);
      if granted then
        insert into consentry.granted_call values (p_account, p_endpoint, slot);
        if random() < 0.01 then
          delete from consentry.granted_call g
            where g.account = p_account and g.endpoint = p_endpoint
              and g.granted_at < moment - interval '2 minutes';
        end if;
      end if;
      return next;
    end $$`.execute(db);
}
