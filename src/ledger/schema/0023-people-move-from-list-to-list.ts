import { type Kysely, sql } from 'kysely';
import { BLOCK_ROWS } from '../blocks.js';

/** Membership of the list that people are moved from is a part of its own. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter type consentry.channel add value if not exists 'old_list' after 'suppression'`.execute(
    db,
  );
  await sql`
    alter table consentry.intent
      add column old_list_operation consentry.operation,
      add column old_list_consented_at timestamptz,
      add column old_list_note text`.execute(db);
  await sql`drop view consentry.part`.execute(db);
  await createView(db);
}

/** Every part with all that is known about it, one row for each channel that an intent asks for. */
async function createView(db: Kysely<unknown>): Promise<void> {
  const asked = [
    'email',
    'sms',
    'sms_transactional',
    'whatsapp',
    'push',
    'suppression',
    'old_list',
  ].map(
    // From a text, since a new value of an enum cannot be named in the transaction that adds it.
    (channel) =>
      `('${channel}'::text::consentry.channel, i.${channel}_operation, i.${channel}_consented_at, i.${channel}_note)`,
  );
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
