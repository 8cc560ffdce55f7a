import { sql } from 'kysely';
import { JOB_SIZE } from '../contracts/limits.js';
import type { JobRef, PartCount } from '../contracts/migration.js';
import { PHONE_CHANNELS, type Channel, type Operation } from '../contracts/channels.js';
import type { LedgerDb } from './database.js';

/**
 * Settles all but one of the parts that ask something of the same identifier and channel.
 * A suppression wins over everything; else the newest change. An opt-out without a date counts as
 * newer than all, and consent without one as older than all, since nobody is mailed on a guess; else
 * the later row wins. The losers are `rejected`: as `conflicting_opt_out` where an opt-out beat
 * consent, as `superseded_by_consent` the other way round, else as duplicates.
 */
export async function settleDuplicates(db: LedgerDb, migrationId: string): Promise<void> {
  // A membership is asked for by e-mail where the row has one.
  for (const [channels, identifier, reason] of [
    [['email'], 'email', 'duplicate_email'],
    [PHONE_CHANNELS, 'phone_number', 'duplicate_phone'],
    [['push'], 'email', 'duplicate_email'],
    [['list'], 'email', 'duplicate_email'],
  ] as const) {
    await sql`
      with asked as (
        select p.row_number, p.channel, p.action, i.${sql.ref(identifier)} as identifier,
          row_number() over identity as place,
          first_value(p.action) over identity as winning_action
        from consentry.intent_part p
        join consentry.intent i using (migration_id, row_number)
        where p.migration_id = ${migrationId} and p.outcome is null
          and p.channel::text = any(${channels})
          and i.${sql.ref(identifier)} is not null
        window identity as (
          partition by i.${sql.ref(identifier)}, p.channel
          order by (p.action = 'suppress') desc,
            coalesce(p.consented_at,
              case when p.action = 'unsubscribe' then 'infinity' else '-infinity' end::timestamptz) desc,
            (p.action = 'unsubscribe') desc, p.row_number desc
        )
      )
      update consentry.intent_part p set
        outcome = 'rejected',
        reason = case
          when asked.winning_action in ('suppress', 'unsubscribe')
            and asked.action not in ('suppress', 'unsubscribe') then 'conflicting_opt_out'
          when asked.winning_action = 'subscribe' and asked.action = 'unsubscribe'
            then 'superseded_by_consent'
          else ${reason} end,
        evidence = 'importer', settled_at = now()
      from asked
      where asked.place > 1 and p.migration_id = ${migrationId}
        and p.row_number = asked.row_number and p.channel = asked.channel`.execute(db);
  }
}

/**
 * Gives every open part its job: at most `JOB_SIZE` rows of one operation each, numbered in the
 * order in which they are started. Running it again changes nothing.
 *
 * @param canaryRows the first rows that have something to send, for jobs of their own; null for none
 */
export async function assignJobs(
  db: LedgerDb,
  migrationId: string,
  canaryRows: number | null = null,
): Promise<JobRef[]> {
  return db.transaction().execute(async (tx) => {
    await sql`
      with part as (
        select row_number, channel, action as operation,
          coalesce(dense_rank() over (order by row_number) <= ${canaryRows}::integer, false) as canary
        from consentry.intent_part
        where migration_id = ${migrationId} and outcome is null and job_number is null
      ), chunk as (
        select row_number, channel, operation, canary,
          (dense_rank() over (partition by canary, operation order by row_number) - 1)
            / ${JOB_SIZE} as chunk
        from part
      ), numbered as (
        select row_number, channel, operation, canary,
          dense_rank() over (order by canary desc, operation, chunk)
            + (select coalesce(max(job_number), 0) from consentry.job
               where migration_id = ${migrationId}) as job_number
        from chunk
      ), job as (
        insert into consentry.job (migration_id, job_number, operation, rows, canary)
        select ${migrationId}, job_number, operation, count(distinct row_number), canary
        from numbered group by job_number, operation, canary
      )
      update consentry.intent_part p set job_number = numbered.job_number
      from numbered
      where p.migration_id = ${migrationId} and p.row_number = numbered.row_number
        and p.channel = numbered.channel`.execute(tx);
    const jobs = await tx
      .selectFrom('job')
      .select(['job_number', 'operation', 'rows', 'canary'])
      .where('migration_id', '=', migrationId)
      .orderBy('job_number')
      .execute();
    return jobs.map((job) => ({
      jobNumber: job.job_number,
      operation: job.operation,
      rows: job.rows,
      canary: job.canary,
    }));
  });
}

/** Parts that have an outcome, by channel, outcome and reason. */
export async function countSettledParts(db: LedgerDb, migrationId: string): Promise<PartCount[]> {
  const rows = await db
    .selectFrom('intent_part')
    .select(['channel', 'outcome', 'reason'])
    .select((eb) => eb.fn.countAll<string>().as('parts'))
    .where('migration_id', '=', migrationId)
    .where('outcome', 'is not', null)
    .groupBy(['channel', 'outcome', 'reason'])
    .orderBy('channel')
    .orderBy('outcome')
    .orderBy('reason')
    .execute();
  return rows.flatMap((row) =>
    row.outcome === null
      ? []
      : [
          {
            channel: row.channel,
            outcome: row.outcome,
            reason: row.reason,
            parts: Number(row.parts),
          },
        ],
  );
}

/** Parts that are still to be sent, by channel and operation. */
export async function countOpenParts(
  db: LedgerDb,
  migrationId: string,
): Promise<{ channel: Channel; operation: Operation; parts: number }[]> {
  const rows = await db
    .selectFrom('intent_part as p')
    .innerJoin('job as j', (join) =>
      join
        .onRef('j.migration_id', '=', 'p.migration_id')
        .onRef('j.job_number', '=', 'p.job_number'),
    )
    .select(['p.channel', 'j.operation'])
    .select((eb) => eb.fn.countAll<string>().as('parts'))
    .where('p.migration_id', '=', migrationId)
    .where('p.outcome', 'is', null)
    .groupBy(['p.channel', 'j.operation'])
    .orderBy('j.operation')
    .orderBy('p.channel')
    .execute();
  return rows.map((row) => ({
    channel: row.channel,
    operation: row.operation,
    parts: Number(row.parts),
  }));
}

/** Rows of the migration. */
export async function countRows(db: LedgerDb, migrationId: string): Promise<number> {
  const { rows } = await db
    .selectFrom('intent')
    .select((eb) => eb.fn.countAll<string>().as('rows'))
    .where('migration_id', '=', migrationId)
    .executeTakeFirstOrThrow();
  return Number(rows);
}
