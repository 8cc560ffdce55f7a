import { sql } from 'kysely';
import type { LedgerDb } from '../database.js';
import { joinMembership, partsFor, peopleOf } from '../parts.js';
import { lockForCall } from '../runs/steering-lock.js';
import { lockForSettling } from '../transactions.js';
import { addRowCounts } from './settlements.js';

/**
 * Adds a `list` part to rows of people who already have their consent, so that they join the run's
 * list too. Leaves out rows with an open part, one that waits for a click, which brings the membership, and
 * rows that contain an opt-out or may contain one.
 * Adds nothing to a stopped run: a stop waits for this and then settles what is unsent.
 *
 * @param db a transaction; a stop waits for its end
 * @param jobNumber the job that carries the membership; null before jobs are assigned
 */
export async function askForMembership(
  db: LedgerDb,
  migrationId: string,
  rowNumbers: readonly number[],
  jobNumber: number | null = null,
): Promise<void> {
  if (rowNumbers.length === 0) return;
  await lockForCall(db, migrationId);
  await lockForSettling(db, migrationId);
  const people = await peopleOf(db, migrationId);
  await sql`
    with added as (
      insert into consentry.membership (migration_number, row_number, job_number)
      select i.migration_number, i.row_number, ${jobNumber}::integer
      from unnest(${rowNumbers}::integer[]) as r (row_number)
      cross join lateral (
        select * from consentry.intent i
        where i.migration_number = ${people.number} and i.row_number = r.row_number offset 0
      ) i
      ${joinMembership(people)}
      where i.list_operation is null and a.row_number is null
        and exists (select from consentry.run
          where run.id = ${migrationId} and run.stopped_at is null)
        and not exists (
          select from ${partsFor(people)}
          left join consentry.settlement s on s.migration_number = i.migration_number
            and s.row_number = i.row_number and s.channel = p.channel
          where s.outcome is null or s.outcome in ('skipped_opted_out', 'pending_double_opt_in')
            or p.operation in ('unsubscribe', 'suppress', 'remove_from_list') or s.reason = 'consent_value_unknown')
      on conflict do nothing
      returning migration_number, row_number
    ), channel as (
      update consentry.migration set channels = channels || '{list}'
      where id = ${migrationId} and not 'list' = any(channels) and exists (select from added)
    ), before as (
      insert into consentry.consent_before
        (migration_number, row_number, channel, consent, consented_at)
      select migration_number, row_number, 'list', e.consent, e.consented_at
      from consentry.consent_before e join added using (migration_number, row_number)
      where e.channel = 'email'
      on conflict (migration_number, row_number, channel) do nothing
    ), in_job as (
      insert into consentry.job_channel as c
        (migration_number, job_number, channel, operation, parts, settled)
      select ${people.number}::integer, ${jobNumber}::integer, 'list', 'add_to_list', count(*), 0
      from added where ${jobNumber}::integer is not null having count(*) > 0
      on conflict (migration_number, job_number, channel) do update set parts = c.parts + excluded.parts
    )
    -- Their rows are open again.
    ${addRowCounts(
      migrationId,
      sql`
        select min(s.outcome), -1 from added
        join consentry.settlement s using (migration_number, row_number) group by s.row_number`,
    )}`.execute(db);
}
