import { sql } from 'kysely';
import { JOB_SIZE } from '../../contracts/limits.js';
import type { JobRef } from '../../contracts/jobs.js';
import type { PartCount } from '../../contracts/migration.js';
import type { Channel, Operation } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';

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
    await sql`
      with part as (
        select row_number, channel, operation,
          coalesce(dense_rank() over (order by row_number) <= ${canaryRows}::integer, false) as canary
        from consentry.intent_part
        where migration_id = ${migrationId} and outcome is null and job_number is null
      ), chunk as (
        select row_number, channel, operation, canary,
          (dense_rank() over (partition by canary, operation order by row_number) - 1)
            / ${rowsPerJob}::integer as chunk
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
