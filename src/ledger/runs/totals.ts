import { sql } from 'kysely';
import type { Channel } from '../../contracts/channels.js';
import type { OutcomeCounts, PartCount, Totals } from '../../contracts/migration.js';
import type { Outcome, Reason } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';

/** The state of a migration in counts, from one pass over its parts. */
export async function countTotals(db: LedgerDb, migrationId: string): Promise<Totals> {
  const { rows: outcomes } = await sql<{
    outcome: Outcome | null;
    rows: string;
    accepted: string;
  }>`
    select outcome, count(*) as rows, count(*) filter (where sent) as accepted
    from (
      select case when bool_or(outcome is null) then null else min(outcome) end as outcome,
        bool_or(submission_id is not null) as sent
      from consentry.intent_part where migration_id = ${migrationId}
      group by row_number
    ) per_row
    group by outcome`.execute(db);
  const { rows: jobs } = await sql<{ total: string; submitted: string; settled: string }>`
    select count(*) as total, count(accepted_at) as submitted,
      count(*) filter (where not exists (select from consentry.intent_part p
        where p.migration_id = j.migration_id and p.job_number = j.job_number
          and p.outcome is null)) as settled
    from consentry.job j where migration_id = ${migrationId}`.execute(db);
  const counts: OutcomeCounts = {};
  let rows = 0;
  let accepted = 0;
  for (const row of outcomes) {
    if (row.outcome !== null) counts[row.outcome] = Number(row.rows);
    rows += Number(row.rows);
    accepted += Number(row.accepted);
  }
  const job = jobs[0];
  return {
    rows,
    outcomes: counts,
    accepted,
    jobs: {
      total: Number(job?.total ?? 0),
      submitted: Number(job?.submitted ?? 0),
      settled: Number(job?.settled ?? 0),
    },
  };
}

/** Settled rows of one job by outcome. */
export async function countJobOutcomes(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
): Promise<OutcomeCounts> {
  const { rows } = await sql<{ outcome: Outcome; rows: string }>`
    select outcome, count(*) as rows
    from (
      select min(outcome) as outcome from consentry.intent_part
      where migration_id = ${migrationId} and job_number = ${jobNumber}
      group by row_number having bool_and(outcome is not null)
    ) per_row
    group by outcome`.execute(db);
  return Object.fromEntries(rows.map((row) => [row.outcome, Number(row.rows)]));
}

/** Settles every open part that no call carried or may have carried, as when a run is cancelled. */
export async function settleUnsent(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number | null,
  reason: Reason,
): Promise<number> {
  const result = await db
    .updateTable('intent_part')
    .set({ outcome: 'cancelled', reason, settled_by: 'cancellation', settled_at: sql`now()` })
    .where('migration_id', '=', migrationId)
    .$if(jobNumber !== null, (query) => query.where('job_number', '=', jobNumber))
    .where('outcome', 'is', null)
    .where('submission_id', 'is', null)
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

/** Parts of the canary's jobs by outcome and reason. */
export async function countCanaryParts(db: LedgerDb, migrationId: string): Promise<PartCount[]> {
  const { rows } = await sql<{
    channel: Channel;
    outcome: Outcome;
    reason: Reason | null;
    parts: string;
  }>`
    select p.channel, p.outcome, p.reason, count(*) as parts
    from consentry.intent_part p join consentry.job j using (migration_id, job_number)
    where p.migration_id = ${migrationId} and j.canary and p.outcome is not null
    group by p.channel, p.outcome, p.reason
    order by p.channel, p.outcome, p.reason`.execute(db);
  return rows.map((row) => ({ ...row, parts: Number(row.parts) }));
}
