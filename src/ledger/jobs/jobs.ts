import { sql } from 'kysely';
import { TEXT_CHANNELS, type Operation } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';
import { isSent, joinMembership, numberOf, partsFor, joinRowsOfJob } from '../parts.js';
import { addSettlements } from './settlements.js';

export async function getJob(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
): Promise<{ operation: Operation; rows: number }> {
  return db
    .selectFrom('job')
    .select(['operation', 'rows'])
    .where('migration_id', '=', migrationId)
    .where('job_number', '=', jobNumber)
    .executeTakeFirstOrThrow();
}

/**
 * Records that nothing of a job is left to send. If all that is left are calls whose answer was lost
 * and that need not be made again, because their effect shows already, the job is due for a look-up:
 * no answer made it due.
 */
export async function noteSubmitEnded(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
): Promise<void> {
  await sql`
    update consentry.job j set submit_ended_at = now(),
      accepted_at = coalesce(j.accepted_at, lost.at),
      look_up_at = case when j.woken_at is null then coalesce(j.look_up_at, lost.at) end
    from (
      select case when exists (
        select from consentry.submission s
        where s.migration_id = ${migrationId} and s.job_number = ${jobNumber} and s.status = 'lost'
      ) then now() end as at
    ) lost
    where j.migration_id = ${migrationId} and j.job_number = ${jobNumber}
      and j.submit_ended_at is null`.execute(db);
}

/**
 * Jobs of which nothing is left to send, because it was sent or because it is settled. 0 once the run
 * is stopped: a stop settles what was never begun.
 */
export async function countJobsPastSubmit(db: LedgerDb, migrationId: string): Promise<number> {
  const { jobs } = await db
    .selectFrom('job')
    .innerJoin('run', 'run.id', 'job.migration_id')
    .select((eb) => eb.fn.countAll<string>().as('jobs'))
    .where('migration_id', '=', migrationId)
    .where('stopped_at', 'is', null)
    .where((eb) => eb.or([eb('submit_ended_at', 'is not', null), eb('woken_at', 'is not', null)]))
    .executeTakeFirstOrThrow();
  return Number(jobs);
}

/** Jobs that have a part without an outcome. */
export async function jobsWithOpenParts(db: LedgerDb, migrationId: string): Promise<number[]> {
  const rows = await db
    .selectFrom('job_channel')
    .select('job_number')
    .distinct()
    .where('migration_number', '=', numberOf(migrationId))
    .whereRef('settled', '<', 'parts')
    .orderBy('job_number')
    .execute();
  return rows.map((row) => row.job_number);
}

/** Whether any part of the migration's jobs, or of one job, has no outcome yet. */
export async function hasOpenParts(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number | null = null,
): Promise<boolean> {
  const row = await db
    .selectFrom('job_channel')
    .select('job_number')
    .where('migration_number', '=', numberOf(migrationId))
    .$if(jobNumber !== null, (query) => query.where('job_number', '=', jobNumber))
    .whereRef('settled', '<', 'parts')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Settles SMS subscribes as `rejected` if the account has no sender for the number's country.
 *
 * @param jobNumber only of this job; null for the whole migration
 */
export async function settleSmsWithoutSender(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number | null,
  countries: readonly string[],
): Promise<void> {
  const rowsOf = (number: number) =>
    jobNumber === null
      ? sql`(select * from consentry.intent where migration_number = ${number})`
      : sql`(
          select i.* from consentry.job j
          ${joinRowsOfJob(number)}
          where j.migration_id = ${migrationId} and j.job_number = ${jobNumber}
            and j.operation = 'subscribe')`;
  await addSettlements(
    db,
    migrationId,
    (people) => ({
      parts: sql`
      select i.row_number, p.channel, 'rejected'::consentry.outcome as outcome,
        'phone_country_without_sender' as reason, 'guard' as settled_by, null::text as consent,
        null::timestamptz as at, null::integer as job_number
      from ${rowsOf(people.number)} i ${joinMembership(people)}
      cross join lateral ${partsFor(people, TEXT_CHANNELS)}
      where p.operation = 'subscribe'
        and (i.country is null or i.country <> all(${countries}::text[]))`,
    }),
    sql`not ${isSent(sql`p.channel`)}`,
  );
}

/** Jobs that have something left to send and may be waiting for the end of a pause. */
export async function waitingJobs(db: LedgerDb, migrationId: string): Promise<number[]> {
  const rows = await db
    .selectFrom('job')
    .select('job_number')
    .where('migration_id', '=', migrationId)
    .where('woken_at', 'is', null)
    .where('submit_ended_at', 'is', null)
    .orderBy('job_number')
    .execute();
  return rows.map((row) => row.job_number);
}

/**
 * How long Klaviyo may still take to show a job's sent rows, counted from the job's last call.
 *
 * @param within milliseconds allowed for an operation
 * @returns 0 or less once the deadline is over
 */
export async function msUntilDeadline(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
  within: (operation: Operation) => number,
): Promise<number> {
  const { operation } = await getJob(db, migrationId, jobNumber);
  const { rows } = await sql<{ sent_ms_ago: number | null }>`
    select (extract(epoch from now() - max(coalesce(answered_at, sent_at))) * 1000)::float8
      as sent_ms_ago
    from consentry.submission
    where migration_id = ${migrationId} and job_number = ${jobNumber}
      and status in ('sending', 'accepted', 'ambiguous', 'lost')`.execute(db);
  const ago = rows[0]?.sent_ms_ago ?? null;
  return ago === null ? 0 : within(operation) - ago;
}
