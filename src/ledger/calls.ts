import { sql } from 'kysely';
import type { LedgerDb } from './database.js';

export interface CallCount {
  readonly endpoint: string;
  /** HTTP status, or `none` where there was no answer. */
  readonly status: string;
  readonly calls: number;
  readonly durationMs: number;
}

/** Adds to the run's counters of calls to Klaviyo. */
export async function addCalls(
  db: LedgerDb,
  runId: string,
  counts: readonly CallCount[],
): Promise<void> {
  if (counts.length === 0) return;
  await sql`
    insert into consentry.call_count (run_id, endpoint, status, calls, duration_ms)
    select ${runId}, endpoint, status, calls, duration_ms
    from unnest(
      ${counts.map((c) => c.endpoint)}::text[], ${counts.map((c) => c.status)}::text[],
      ${counts.map((c) => c.calls)}::bigint[],
      ${counts.map((c) => Math.round(c.durationMs))}::bigint[]
    ) as c (endpoint, status, calls, duration_ms)
    -- Not of a run that was deleted meanwhile.
    where exists (select from consentry.run where id = ${runId})
    order by endpoint, status
    on conflict (run_id, endpoint, status) do update set
      calls = consentry.call_count.calls + excluded.calls,
      duration_ms = consentry.call_count.duration_ms + excluded.duration_ms`.execute(db);
}

export async function countCalls(db: LedgerDb, runId: string): Promise<CallCount[]> {
  const rows = await db
    .selectFrom('call_count')
    .selectAll()
    .where('run_id', '=', runId)
    .orderBy('endpoint')
    .orderBy('status')
    .execute();
  return rows.map((row) => ({
    endpoint: row.endpoint,
    status: row.status,
    calls: Number(row.calls),
    durationMs: Number(row.duration_ms),
  }));
}
