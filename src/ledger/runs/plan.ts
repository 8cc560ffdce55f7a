import { sql } from 'kysely';
import { JOB_SIZE } from '../../contracts/limits.js';
import type { JobRef } from '../../contracts/jobs.js';
import type { PartCount, Plan } from '../../contracts/migration.js';
import { TEXT_CHANNELS, type Channel, type Operation } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';
import {
  askedFor,
  isAmongSettled,
  joinMembership,
  numberOf,
  partsFor,
  peopleOf,
  type People,
} from '../parts.js';
import { lockForSettling } from '../transactions.js';

/** A planned job, before it is decided how long Klaviyo may take to show it. */
export type AssignedJob = Omit<JobRef, 'settleWithinMs'>;

/**
 * Assigns every open part to a job. A job has at most `rowsPerJob` rows of one operation; jobs are
 * numbered in the order in which they start. Running it again changes nothing.
 *
 * @param canaryRows how many of the first rows with something to send get their own jobs; null for
 *   none
 */
export async function assignJobs(
  db: LedgerDb,
  migrationId: string,
  canaryRows: number | null = null,
  rowsPerJob: number = JOB_SIZE,
): Promise<AssignedJob[]> {
  return db.transaction().execute(async (tx) => {
    await lockForSettling(tx, migrationId);
    const people = await peopleOf(tx, migrationId);
    await sql`
      with part as materialized (
        select i.row_number, p.channel, p.operation
        from consentry.intent i
        ${joinMembership(people)}
        cross join lateral ${partsFor(people)}
        where i.migration_number = ${people.number} and not ${isAmongSettled(sql`p.channel`)}
          -- There are jobs already.
          and not exists (select from consentry.job where migration_id = ${migrationId})
      ), first as (
        select row_number from part group by row_number order by row_number
        limit ${canaryRows ?? 0}
      ), canary as (
        select coalesce(max(row_number), 0) as last_row from first
      ), asked as (
        select row_number, operation, row_number <= last_row as canary from part, canary
        group by 1, 2, 3
      ), chunk as (
        select row_number, operation, canary,
          (row_number() over (partition by canary, operation order by row_number) - 1)
            / ${rowsPerJob}::integer as chunk
        from asked
      ), job as (
        select row_number() over (order by canary desc, operation, chunk) as job_number, operation,
          canary, chunk, count(*) as rows, min(row_number) as first_row,
          range_agg(int4range(row_number, row_number + 1)) as row_numbers
        from chunk group by canary, operation, chunk
      ), jobs as (
        insert into consentry.job
          (migration_id, job_number, operation, rows, canary, first_row, row_numbers)
        select ${migrationId}, job_number, operation, rows, canary, first_row, row_numbers from job
        order by job_number
      )
      insert into consentry.job_channel
        (migration_number, job_number, channel, operation, parts, settled)
      select ${people.number}::integer, job.job_number, part.channel, part.operation, count(*), 0
      from part join chunk using (row_number, operation) join job using (canary, operation, chunk)
      group by job.job_number, part.channel, part.operation`.execute(tx);
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
    .selectFrom('settlement')
    .select(['channel', 'outcome', 'reason'])
    .select((eb) => eb.fn.countAll<string>().as('parts'))
    .where('migration_number', '=', numberOf(migrationId))
    .groupBy(['channel', 'outcome', 'reason'])
    .orderBy('channel')
    .orderBy('outcome')
    .orderBy('reason')
    .execute();
  return rows.map((row) => ({ ...row, parts: Number(row.parts) }));
}

/** Parts that are still to be sent, by channel and operation. */
export async function countOpenParts(
  db: LedgerDb,
  migrationId: string,
): Promise<{ channel: Channel; operation: Operation; parts: number }[]> {
  const { rows } = await sql<{ channel: Channel; operation: Operation; parts: number }>`
    select c.channel, c.operation, sum(c.parts - c.settled)::integer as parts
    from consentry.job_channel c
    where c.migration_number = ${numberOf(migrationId)} and c.settled < c.parts
    group by c.channel, c.operation order by c.operation, c.channel`.execute(db);
  return rows;
}

/** Rows of the migration. */
export async function countRows(db: LedgerDb, migrationId: string): Promise<number> {
  const { rows } = await db
    .selectFrom('migration')
    .select('rows')
    .where('id', '=', migrationId)
    .executeTakeFirstOrThrow();
  return rows ?? 0;
}

/** What open parts do beside what their rows ask for. */
export async function countSideEffects(
  db: LedgerDb,
  migrationId: string,
): Promise<Pick<Plan, 'madeReachable' | 'leaveBothTexts'>> {
  const people = await peopleOf(db, migrationId);
  const { rows } = await sql<{ subscribed: number; never_subscribed: number; texts: number }>`
    select
      count(*) filter (where p.operation = 'unsuppress' and b.consent = 'SUBSCRIBED')::integer as subscribed,
      count(*) filter (where p.operation = 'unsuppress' and b.consent = 'NEVER_SUBSCRIBED')::integer
        as never_subscribed,
      count(*) filter (where p.operation = 'unsubscribe' and num_nonnulls(
        ${textOptOut(people, 'sms')}, ${textOptOut(people, 'sms_transactional')}) = 1)::integer as texts
    from consentry.intent i
    ${joinMembership(people)}
    cross join lateral ${partsFor(people, [...TEXT_CHANNELS, 'suppression'])}
    left join consentry.consent_before b on b.migration_number = i.migration_number
      and b.row_number = i.row_number and b.channel = p.channel
    where i.migration_number = ${people.number} and not ${isAmongSettled(sql`p.channel`)}
      and p.operation in ('unsuppress', 'unsubscribe')`.execute(db);
  const { subscribed, never_subscribed: neverSubscribed, texts } = rows[0]!;
  return { madeReachable: { subscribed, neverSubscribed }, leaveBothTexts: texts };
}

/** Not null if the row opts out of this kind of texts. */
const textOptOut = ({ channels }: People, channel: (typeof TEXT_CHANNELS)[number]) =>
  channels.includes(channel)
    ? sql`nullif(${askedFor(channel)} = 'unsubscribe', false)`
    : sql`null::boolean`;
