import { sql } from 'kysely';
import type { LedgerDb } from '../database.js';

/** An accepted import of a job. */
export interface AcceptedImport {
  /** Klaviyo's id of its import job. */
  readonly klaviyoJobId: string;
  /** The rows that it carried, in the order of its profiles. */
  readonly rowNumbers: readonly number[];
}

/** The accepted imports of a job that carried a row whose membership has no outcome yet. */
export async function openImportsOf(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
): Promise<AcceptedImport[]> {
  const { rows } = await sql<{ request_id: string; row_numbers: number[] }>`
    select s.request_id, array_agg(n.row_number order by n.row_number) as row_numbers
    from consentry.submission s
    join consentry.carried c on c.submission_id = s.id and c.channel = 'list'
    cross join lateral unnest(c.rows) as range (numbers)
    cross join lateral generate_series(lower(range.numbers), upper(range.numbers) - 1) as n (row_number)
    left join consentry.settlement e on e.migration_number = c.migration_number
      and e.row_number = n.row_number and e.channel = c.channel
    where s.migration_id = ${migrationId} and s.job_number = ${jobNumber}
      and s.endpoint = 'bulk_import_profiles' and s.status = 'accepted' and s.request_id is not null
    group by s.id having bool_or(e.outcome is null) order by s.id`.execute(db);
  return rows.map((row) => ({ klaviyoJobId: row.request_id, rowNumbers: row.row_numbers }));
}
