import { type Kysely, sql } from 'kysely';
import { BLOCK_ROWS } from '../blocks.js';

/**
 * Who was asked for a click, by account, list and channel, across runs: the last call that asked. It
 * holds no address, and outlives its run, as the opt-outs do. And when somebody was asked before, with
 * the outcome of a part that was therefore not sent.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table consentry.asked (
      account_id text not null,
      -- Empty for the account's default process.
      list_id text not null,
      channel consentry.channel not null,
      -- MD5 of the e-mail in lower case, or of the phone number.
      address uuid not null,
      asked_at timestamptz not null,
      -- The part that asked: its outcome says whether they have clicked. It goes with its run.
      migration_number integer not null,
      row_number integer not null,
      primary key (account_id, list_id, channel, address)
    )`.execute(db);
  await sql`
    create index asked_by on consentry.asked (migration_number, row_number)`.execute(db);
  await sql`
    create index asked_when on consentry.asked using brin (asked_at)`.execute(db);
  // Runs of before say only who had not clicked at their end.
  await sql`
    insert into consentry.asked
    select distinct on (1, 2, 3, 4) run.account_id, coalesce(m.settings->>'listId', ''), s.channel,
      md5(who.identifier)::uuid, s.settled_at, s.migration_number, s.row_number
    from consentry.settlement s
    join consentry.migration m on m.number = s.migration_number
    join consentry.run on run.id = m.id
    join consentry.intent i on i.migration_number = s.migration_number and i.row_number = s.row_number
    cross join lateral (
      select case when s.channel = 'email' then i.email else i.phone_number end as identifier
    ) who
    where s.outcome = 'pending_double_opt_in' and run.account_id is not null
      and who.identifier is not null
    order by 1, 2, 3, 4, s.settled_at desc`.execute(db);
  await sql`alter table consentry.settlement add column asked_at timestamptz`.execute(db);
  await addToView(db);
}

/** The view of every part as before, with `asked_at` as its last column. */
async function addToView(db: Kysely<unknown>): Promise<void> {
  const asked = ['email', 'sms', 'sms_transactional', 'whatsapp', 'push', 'suppression'].map(
    (channel) =>
      `('${channel}'::text::consentry.channel, i.${channel}_operation, i.${channel}_consented_at, i.${channel}_note)`,
  );
  await sql`
    create or replace view consentry.part as
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
      case when s.consent_after is not null then s.settled_at end as read_at,
      s.asked_at
    from consentry.intent i
    join consentry.migration m on m.number = i.migration_number
    left join consentry.membership a on a.migration_number = i.migration_number
      and a.row_number = i.row_number
    cross join lateral (values
      ${sql.raw(asked.join(', '))},
      ('list'::consentry.channel,
        coalesce(i.list_operation,
          case when a.row_number is not null then 'add_to_list'::consentry.operation end),
        i.list_consented_at,
        coalesce(i.list_note, case when i.list_operation is null then 'membership_of_consented' end))
    ) as p (channel, operation, consented_at, note)
    left join consentry.consent_before b on b.migration_number = i.migration_number
      and b.row_number = i.row_number and b.channel = p.channel
    left join consentry.settlement s on s.migration_number = i.migration_number
      and s.row_number = i.row_number and s.channel = p.channel
    where p.operation is not null`.execute(db);
}
