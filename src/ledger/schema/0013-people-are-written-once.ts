import { type Kysely, sql } from 'kysely';
import { BLOCK_ROWS } from '../blocks.js';

/** The channels of that time. */
const CHANNELS = ['email', 'sms', 'sms_transactional', 'whatsapp', 'push', 'list'] as const;

/** One column of `intent` for each channel. */
const perChannel = (column: (channel: string) => string) =>
  sql.raw(CHANNELS.map(column).join(', '));

/**
 * People are written once and never updated. What was a column of a part that changed during the
 * run is now a row of its own that is only added: its outcome (`settlement`), the reading of the
 * person (`reading`, `consent_before`), the call that carries it (`carried`). A job is a set of row
 * numbers. Counters per job and per outcome answer every total.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // A worker or a load of the version before may be under way: it waits, and then fails to find the
  // tables until it runs this version.
  await sql`
    lock table consentry.migration, consentry.intent, consentry.intent_part, consentry.job,
      consentry.submission in access exclusive mode`.execute(db);
  await sql`
    alter table consentry.migration
      -- The key of its people: an integer takes a quarter of the space of the id, in every index.
      add column number integer generated always as identity,
      -- How many rows its source has.
      add column rows integer,
      -- The channels that any of them has a part for.
      add column channels text[] not null default '{}'`.execute(db);
  await sql`create unique index migration_number on consentry.migration (number)`.execute(db);
  await sql`alter table consentry.intent rename to intent_before`.execute(db);
  // Index names are unique in a schema.
  for (const name of ['intent_pkey', 'intent_email', 'intent_phone']) {
    await sql`alter index consentry.${sql.ref(name)} rename to ${sql.ref(`${name}_before`)}`.execute(
      db,
    );
  }
  await createTables(db);
  await movePeople(db);
  await moveCalls(db);
  await moveCounts(db);
  await sql`drop table consentry.intent_part, consentry.intent_before`.execute(db);
  await createView(db);
  await deletePeopleWithTheirMigration(db);
  await sql`
    analyze consentry.intent, consentry.settlement, consentry.carried, consentry.reading`.execute(
    db,
  );
}

async function createTables(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table consentry.intent (
      migration_number integer not null,
      row_number integer not null,
      line integer not null,
      country text,
      email text,
      phone_number text,
      raw_email text,
      raw_phone text,
      date_of_birth date,
      push_token text,
      push_platform text check (push_platform in ('ios', 'android')),
      -- A part for each channel that the row asks for something.
      ${perChannel((channel) => `${channel}_operation consentry.operation`)},
      ${perChannel((channel) => `${channel}_consented_at timestamptz`)},
      ${perChannel((channel) => `${channel}_note text`)},
      primary key (migration_number, row_number)
    )`.execute(db);
  // By a hash: half the size of an index of the addresses themselves.
  await sql`
    create index intent_email on consentry.intent (migration_number, hashtext(email))
    where email is not null`.execute(db);
  await sql`
    create index intent_phone on consentry.intent (migration_number, hashtext(phone_number))
    where phone_number is not null`.execute(db);

  await sql`
    create table consentry.membership (
      -- A list part that the guard added, so that people who have their consent join the run's list.
      migration_number integer not null,
      row_number integer not null,
      -- The job that carries it; null if it was added before there were jobs.
      job_number integer,
      primary key (migration_number, row_number)
    )`.execute(db);

  await sql`
    create table consentry.settlement (
      -- How a part ended. Only a click and a repair replace one.
      settled_at timestamptz not null,
      consent_after_at timestamptz,
      migration_number integer not null,
      row_number integer not null,
      channel consentry.channel not null,
      outcome consentry.outcome not null,
      -- Whether there were jobs already: what ended before belongs to none.
      in_job boolean not null default false,
      reason text,
      settled_by text,
      -- The consent as it was read back.
      consent_after text,
      primary key (migration_number, row_number, channel)
    )`.execute(db);
  await sql`
    create index settlement_pending on consentry.settlement (migration_number, row_number)
    where outcome = 'pending_double_opt_in'`.execute(db);

  await sql`
    create table consentry.consent_before (
      -- What Klaviyo held before the run; no row if it held nothing.
      consented_at timestamptz,
      migration_number integer not null,
      row_number integer not null,
      channel consentry.channel not null,
      consent text not null,
      primary key (migration_number, row_number, channel)
    )`.execute(db);

  // A block is ${BLOCK_ROWS} rows of a source: readings and calls are found by it.
  await sql`
    create table consentry.reading (
      -- Whose consent was read when.
      read_at timestamptz not null,
      migration_number integer not null,
      block integer not null,
      rows int4multirange not null,
      -- Of these, whose e-mail and phone number must not go to Klaviyo as one profile.
      two_profiles int4multirange not null
    )`.execute(db);
  await sql`create index reading_block on consentry.reading (migration_number, block)`.execute(db);

  await sql`
    create table consentry.carried (
      -- The parts of a call that Klaviyo has or may have.
      submission_id bigint not null references consentry.submission on delete cascade,
      -- Of the submission: what proves a part depends on it.
      klaviyo_sent_at timestamptz,
      job_number integer not null,
      migration_number integer not null,
      block integer not null,
      channel consentry.channel not null,
      rows int4multirange not null
    )`.execute(db);
  await sql`
    create index carried_block on consentry.carried (migration_number, block, channel)`.execute(db);
  await sql`create index carried_submission on consentry.carried (submission_id)`.execute(db);

  await sql`
    alter table consentry.job
      -- The rows that it is about, besides memberships that were added later.
      add column row_numbers int4multirange not null default '{}',
      add column first_row integer not null default 0,
      -- The rows of the calls that Klaviyo has or may have.
      add column sent int4multirange not null default '{}'`.execute(db);
  await sql`
    create index job_rows on consentry.job (migration_id, operation, first_row)`.execute(db);
  await sql`
    create table consentry.job_channel (
      migration_number integer not null,
      job_number integer not null,
      channel consentry.channel not null,
      operation consentry.operation not null,
      parts integer not null,
      -- How many of them have an outcome.
      settled integer not null,
      primary key (migration_number, job_number, channel)
    ) with (fillfactor = 50)`.execute(db);
  await sql`
    create table consentry.outcome_count (
      -- Rows without an open part, by outcome.
      migration_id text not null references consentry.migration on delete cascade,
      outcome consentry.outcome not null,
      rows integer not null,
      primary key (migration_id, outcome)
    ) with (fillfactor = 50)`.execute(db);
}

/** A list part that the guard added, as the version before marked it. */
const isMembership = sql`p.note is not distinct from 'membership_of_consented'`;

async function movePeople(db: Kysely<unknown>): Promise<void> {
  const of = (channel: string, column: string) =>
    `max(p.${column}) filter (where p.channel = '${channel}')`;
  await sql`
    insert into consentry.intent (migration_number, row_number, line, country, email, phone_number,
      raw_email, raw_phone, date_of_birth, push_token, push_platform,
      ${perChannel((channel) => `${channel}_operation`)},
      ${perChannel((channel) => `${channel}_consented_at`)},
      ${perChannel((channel) => `${channel}_note`)})
    select m.number, i.row_number, i.line, i.country, i.email, i.phone_number, i.raw_email,
      i.raw_phone, i.date_of_birth, i.push_token, i.push_platform, ${perChannel((channel) => `p.${channel}_operation`)},
      ${perChannel((channel) => `p.${channel}_consented_at`)}, ${perChannel((channel) => `p.${channel}_note`)}
    from consentry.intent_before i
    join consentry.migration m on m.id = i.migration_id
    left join (
      select p.migration_id, p.row_number,
        ${perChannel((channel) => `${of(channel, 'operation')} as ${channel}_operation`)},
        ${perChannel((channel) => `${of(channel, 'consented_at')} as ${channel}_consented_at`)},
        ${perChannel((channel) => `${of(channel, 'note')} as ${channel}_note`)}
      from consentry.intent_part p where not (${isMembership})
      group by p.migration_id, p.row_number
    ) p on p.migration_id = i.migration_id and p.row_number = i.row_number
    order by m.number, i.row_number`.execute(db);
  await sql`
    update consentry.migration m set rows = counted.rows
    from (select migration_number, count(*) as rows from consentry.intent group by 1) counted
    where counted.migration_number = m.number`.execute(db);
  await sql`
    update consentry.migration m set channels = asked.channels
    from (
      select migration_id, array_agg(distinct channel::text) as channels
      from consentry.intent_part group by 1
    ) asked where asked.migration_id = m.id`.execute(db);
  await sql`
    insert into consentry.membership (migration_number, row_number, job_number)
    select m.number, p.row_number, p.job_number
    from consentry.intent_part p join consentry.migration m on m.id = p.migration_id
    where ${isMembership}`.execute(db);
  await sql`
    insert into consentry.settlement (migration_number, row_number, channel, outcome, in_job,
      reason, settled_by, settled_at, consent_after, consent_after_at)
    select m.number, p.row_number, p.channel, p.outcome, p.job_number is not null, p.reason,
      p.settled_by, p.settled_at, p.consent_after, p.consent_after_at
    from consentry.intent_part p join consentry.migration m on m.id = p.migration_id
    where p.outcome is not null order by m.number, p.row_number`.execute(db);
  await sql`
    insert into consentry.consent_before (migration_number, row_number, channel, consent, consented_at)
    select m.number, p.row_number, p.channel, p.consent_before, p.consent_before_at
    from consentry.intent_part p join consentry.migration m on m.id = p.migration_id
    where p.consent_before is not null order by m.number, p.row_number`.execute(db);
  await sql`
    insert into consentry.reading (migration_number, block, read_at, rows, two_profiles)
    select m.number, i.row_number / ${sql.lit(BLOCK_ROWS)}, i.consent_read_at,
      range_agg(int4range(i.row_number, i.row_number + 1)),
      coalesce(range_agg(int4range(i.row_number, i.row_number + 1)) filter (where not i.one_profile), '{}')
    from consentry.intent_before i join consentry.migration m on m.id = i.migration_id
    where i.consent_read_at is not null group by 1, 2, 3`.execute(db);
}

async function moveCalls(db: Kysely<unknown>): Promise<void> {
  await sql`
    update consentry.job j set row_numbers = p.rows, first_row = lower(p.rows)
    from (
      select p.migration_id, p.job_number,
        range_agg(int4range(p.row_number, p.row_number + 1)) as rows
      from consentry.intent_part p join consentry.job j using (migration_id, job_number)
      where p.operation = j.operation group by 1, 2
    ) p
    where p.migration_id = j.migration_id and p.job_number = j.job_number`.execute(db);
  await sql`
    insert into consentry.carried
      (submission_id, klaviyo_sent_at, job_number, migration_number, block, channel, rows)
    select s.id, s.klaviyo_sent_at, s.job_number, m.number, p.row_number / ${sql.lit(BLOCK_ROWS)}, p.channel,
      range_agg(int4range(p.row_number, p.row_number + 1))
    from consentry.intent_part p
    join consentry.submission s on s.id = p.submission_id
      -- A part that was proved before its call was refused still named the call.
      and s.status not in ('refused', 'not_sent')
    join consentry.migration m on m.id = p.migration_id
    group by 1, 2, 3, 4, 5, 6`.execute(db);
  await sql`
    update consentry.job j set sent = c.rows
    from (
      select s.migration_id, s.job_number, range_agg(r.rows) as rows
      from consentry.carried c
      join consentry.submission s on s.id = c.submission_id
      cross join lateral unnest(c.rows) as r (rows)
      group by 1, 2
    ) c
    where c.migration_id = j.migration_id and c.job_number = j.job_number`.execute(db);
}

async function moveCounts(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into consentry.job_channel
      (migration_number, job_number, channel, operation, parts, settled)
    select m.number, p.job_number, p.channel, max(p.operation), count(*), count(p.outcome)
    from consentry.intent_part p
    join consentry.job j using (migration_id, job_number)
    join consentry.migration m on m.id = p.migration_id
    group by 1, 2, 3`.execute(db);
  await sql`
    insert into consentry.outcome_count (migration_id, outcome, rows)
    select migration_id, outcome, count(*) from (
      select p.migration_id, min(p.outcome) as outcome
      from consentry.intent_part p join consentry.migration m on m.id = p.migration_id
      group by p.migration_id, p.row_number having bool_and(p.outcome is not null)
    ) per_row group by 1, 2`.execute(db);
}

/** Every part with all that is known about it, one row for each channel that an intent asks for. */
async function createView(db: Kysely<unknown>): Promise<void> {
  const asked = CHANNELS.map((channel) =>
    channel === 'list'
      ? `('list'::consentry.channel,
          coalesce(i.list_operation,
            case when a.row_number is not null then 'add_to_list'::consentry.operation end),
          i.list_consented_at,
          coalesce(i.list_note, case when i.list_operation is null then 'membership_of_consented' end))`
      : `('${channel}'::consentry.channel, i.${channel}_operation, i.${channel}_consented_at, i.${channel}_note)`,
  ).join(', ');
  await sql`
    create view consentry.part as
    select m.id as migration_id, i.migration_number, i.row_number, p.channel, p.operation,
      p.consented_at, p.note,
      -- The job that it belongs to; null before there are jobs, and if it ended before.
      case when s.in_job is not false then coalesce(
        case when p.channel = 'list' and i.list_operation is null then a.job_number end, (
          select j.job_number from consentry.job j
          where j.migration_id = m.id and j.operation = p.operation and j.first_row <= i.row_number
            and j.row_numbers @> i.row_number
          order by j.first_row desc limit 1)) end as job_number,
      -- The last call that carries it; null if none does or may.
      (select max(c.submission_id) from consentry.carried c
        where c.migration_number = i.migration_number and c.block = i.row_number / ${sql.lit(BLOCK_ROWS)}
          and c.channel = p.channel and c.rows @> i.row_number) as submission_id,
      b.consent as consent_before, b.consented_at as consent_before_at,
      s.outcome, s.reason, s.settled_by, s.settled_at, s.consent_after, s.consent_after_at,
      case when s.consent_after is not null then s.settled_at end as read_at
    from consentry.intent i
    join consentry.migration m on m.number = i.migration_number
    left join consentry.membership a on a.migration_number = i.migration_number
      and a.row_number = i.row_number
    cross join lateral (values ${sql.raw(asked)}) as p (channel, operation, consented_at, note)
    left join consentry.consent_before b on b.migration_number = i.migration_number
      and b.row_number = i.row_number and b.channel = p.channel
    left join consentry.settlement s on s.migration_number = i.migration_number
      and s.row_number = i.row_number and s.channel = p.channel
    where p.operation is not null`.execute(db);
}

async function deletePeopleWithTheirMigration(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function consentry.delete_people() returns trigger language plpgsql as $$
    begin
      delete from consentry.job_channel where migration_number = old.number;
      delete from consentry.carried where migration_number = old.number;
      delete from consentry.reading where migration_number = old.number;
      delete from consentry.consent_before where migration_number = old.number;
      delete from consentry.settlement where migration_number = old.number;
      delete from consentry.membership where migration_number = old.number;
      delete from consentry.intent where migration_number = old.number;
      delete from consentry.run where id = old.id;
      return null;
    end $$`.execute(db);
}
