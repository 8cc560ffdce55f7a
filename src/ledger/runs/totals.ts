import { sql, type RawBuilder } from 'kysely';
import type { Channel } from '../../contracts/channels.js';
import type { OutcomeCounts, PartCount, Totals } from '../../contracts/migration.js';
import type { Outcome, Reason } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';
import {
  isForJob,
  joinMembership,
  partsFor,
  peopleOf,
  type People,
  joinRowsOfJob,
} from '../parts.js';

/** The state of a migration in counts. Its counters answer this, however many rows it has. */
export async function countTotals(db: LedgerDb, migrationId: string): Promise<Totals> {
  const { rows: outcomes } = await sql<{ outcome: Outcome; rows: number }>`
    select outcome, rows from consentry.outcome_count
    where migration_id = ${migrationId} and rows <> 0 order by outcome`.execute(db);
  const { rows: sizes } = await sql<{
    rows: number | null;
    total: number;
    submitted: number;
    settled: number;
    accepted: number;
  }>`
    select m.rows, j.*, (
        select coalesce(sum(upper(sent.rows) - lower(sent.rows)), 0)::integer
        -- A row may be in the calls of several jobs.
        from unnest((
          select range_agg(sent.rows)
          from consentry.job j cross join lateral unnest(j.sent) as sent (rows)
          where j.migration_id = m.id
        )) as sent (rows)
      ) as accepted
    from consentry.migration m
    cross join lateral (
      select count(*)::integer as total, count(j.accepted_at)::integer as submitted,
        count(*) filter (where not exists (select from consentry.job_channel c
          where c.migration_number = m.number and c.job_number = j.job_number
            and c.settled < c.parts))::integer as settled
      from consentry.job j where j.migration_id = m.id
    ) j
    where m.id = ${migrationId}`.execute(db);
  const { rows = 0, accepted = 0, total = 0, submitted = 0, settled = 0 } = sizes[0] ?? {};
  return {
    rows: rows ?? 0,
    outcomes: Object.fromEntries(outcomes.map((row) => [row.outcome, row.rows])),
    accepted,
    jobs: { total, submitted, settled },
  };
}

/** Settled rows of one job by outcome. */
export async function countJobOutcomes(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
): Promise<OutcomeCounts> {
  const people = await peopleOf(db, migrationId);
  const { rows } = await sql<{ outcome: Outcome; rows: string }>`
    select outcome, count(*) as rows
    from (
      select min(p.outcome) as outcome
      from ${partsOfJobs(people, sql`j.migration_id = ${migrationId} and j.job_number = ${jobNumber}`)} p
      group by p.row_number having bool_and(p.outcome is not null)
    ) per_row
    group by outcome`.execute(db);
  return Object.fromEntries(rows.map((row) => [row.outcome, Number(row.rows)]));
}

/** Parts of the canary's jobs by outcome and reason. */
export async function countCanaryParts(db: LedgerDb, migrationId: string): Promise<PartCount[]> {
  const people = await peopleOf(db, migrationId);
  const { rows } = await sql<{
    channel: Channel;
    outcome: Outcome;
    reason: Reason | null;
    parts: string;
  }>`
    select p.channel, p.outcome, p.reason, count(*) as parts
    from ${partsOfJobs(people, sql`j.migration_id = ${migrationId} and j.canary`)} p
    where p.outcome is not null
    group by p.channel, p.outcome, p.reason
    order by p.channel, p.outcome, p.reason`.execute(db);
  return rows.map((row) => ({ ...row, parts: Number(row.parts) }));
}

/** The parts of jobs `j` and how they ended, without those that ended before there were jobs. */
const partsOfJobs = (people: People, which: RawBuilder<unknown>): RawBuilder<unknown> => sql`(
  select i.row_number, p.channel, s.outcome, s.reason
  from consentry.job j
  ${joinRowsOfJob(people.number)}
  ${joinMembership(people)}
  cross join lateral ${partsFor(people)}
  left join lateral (
    select s.outcome, s.reason, s.in_job from consentry.settlement s
    where s.migration_number = i.migration_number and s.row_number = i.row_number
      and s.channel = p.channel
    offset 0
  ) s on true
  where ${which} and ${isForJob} and s.in_job is not false)`;
