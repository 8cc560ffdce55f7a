import { sql, type RawBuilder } from 'kysely';
import type { Operation } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';

/**
 * When the open rows of an operation's jobs are looked up. A job has the time of its next look-up from its
 * first accepted call until all its rows have an outcome. Each accepted call makes it due, and then its
 * reader puts it off by these terms: only the reader knows which feeds it can read.
 */
export interface LookUpTerms {
  readonly operation: Operation;
  /**
   * Milliseconds from the job's last accepted call until its first look. Each further pause is longer by
   * the time since that call, so pauses double.
   */
  readonly firstMs: number;
  /** False while a feed shows all of it: then no look is due before the deadline. */
  readonly looks: boolean;
}

/** A job that is due for a look-up of its open rows. */
export interface DueJob {
  readonly jobNumber: number;
  /** As in its terms. */
  readonly firstMs: number;
}

/** No pause is longer: people of a run in a long pause may still opt out, or click. */
const LONGEST_PAUSE_MS = 6 * 3_600_000;

/**
 * The jobs that are due, first those that have been for longest. It reads only jobs whose time has
 * come, however many wait. Of these, it puts off those of which nothing is expected yet, such as those
 * that have just been accepted.
 *
 * @param terms for every operation of the run
 * @param atMost how many to give
 */
export async function jobsToLookUp(
  db: LedgerDb,
  migrationId: string,
  terms: readonly LookUpTerms[],
  atMost: number,
): Promise<DueJob[]> {
  const { rows } = await sql<{ job_number: number; first_ms: number }>`
    with terms as materialized (
      select operation::consentry.operation, looks, first_ms, make_interval(secs => first_ms / 1000) as first
      from unnest(
        ${terms.map(({ operation }) => operation)}::text[],
        ${terms.map(({ looks }) => looks)}::boolean[],
        ${terms.map(({ firstMs }) => firstMs)}::float8[]
      ) as t (operation, looks, first_ms)
    ), due as materialized (
      select j.*, t.first, t.first_ms, t.looks,
        t.looks and now() >= j.accepted_at + t.first as is_expected
      from (
        select job_number, operation, accepted_at, look_up_at from consentry.job
        where migration_id = ${migrationId} and look_up_at <= now()
        -- By its own index, before anything else narrows it down.
        offset 0
      ) j join terms t on t.operation = j.operation
    ), early as materialized (
      select j.ctid as place,
        case when due.looks then due.accepted_at + due.first else ${nextLook('due', sql`due.first`)} end as at
      from due
      cross join lateral (
        select ctid from consentry.job
        where migration_id = ${migrationId} and job_number = due.job_number
          and accepted_at = due.accepted_at and look_up_at is not null
        -- If a call of it is just beginning, it is put off at the next look.
        for no key update skip locked
      ) j
      where not due.is_expected
    ), put_off as (
      update consentry.job j set look_up_at = early.at from early where j.ctid = early.place
    )
    select job_number, first_ms from due where is_expected
    order by look_up_at, job_number
    limit ${atMost}`.execute(db);
  return rows.map((row) => ({ jobNumber: row.job_number, firstMs: row.first_ms }));
}

/**
 * A job was looked up: its next look is after a longer pause. Without this, as after a killed worker, it
 * stays due.
 */
export async function markLookedUp(
  db: LedgerDb,
  migrationId: string,
  { jobNumber, firstMs }: DueJob,
): Promise<void> {
  const first = sql`make_interval(secs => ${firstMs / 1_000}::float8)`;
  await sql`
    update consentry.job j set look_up_at = ${nextLook('j', first)}
    where migration_id = ${migrationId} and job_number = ${jobNumber} and look_up_at is not null`.execute(
    db,
  );
}

const nextLook = (job: string, first: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  now() + least(
    now() - ${sql.ref(`${job}.accepted_at`)} + ${first},
    greatest(${first}, make_interval(secs => ${sql.lit(LONGEST_PAUSE_MS / 1_000)})))`;
