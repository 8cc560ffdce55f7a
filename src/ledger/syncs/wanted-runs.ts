import { sql } from 'kysely';
import { SYNC_NOT_STARTED } from '../../contracts/sync.js';
import type { LedgerDb } from '../database.js';
import { SILENT_FOR } from './sync-runs.js';

/** A wanted run that has begun. */
export interface BegunRun {
  readonly syncId: string;
  readonly runId: string;
}

/**
 * Whose wanted run has begun, by whomever: it reads what the webhooks told of, which was there before
 * it began. Each is given once.
 */
export async function begunWantedRuns(
  db: LedgerDb,
  syncIds: readonly string[],
): Promise<BegunRun[]> {
  const { rows } = await sql<{ sync_id: string; run_id: string }>`
    update consentry.wanted_run w set since = null
    from (
      select distinct on (r.sync_id) r.sync_id, r.id, run.created_at
      from consentry.sync_run r join consentry.run on run.id = r.id
      where r.sync_id = any(${syncIds}::text[]) and r.does = 'sync'
        and r.failure is distinct from ${SYNC_NOT_STARTED}
      order by r.sync_id, run.created_at desc
    ) as last
    where last.sync_id = w.sync_id and w.since is not null and last.created_at >= w.last_at
    returning w.sync_id, last.id as run_id`.execute(db);
  return rows.map(({ sync_id, run_id }) => ({ syncId: sync_id, runId: run_id }));
}

/**
 * Takes it upon the caller to start the wanted run of a sync: not while one works, and one caller at a
 * time.
 *
 * @param pace.gatherMs how long after the first event
 * @param pace.pauseMs how long after the last attempt, whoever made it
 * @returns whether the caller has to start it now
 */
export async function claimWantedRun(
  db: LedgerDb,
  syncId: string,
  { gatherMs, pauseMs }: { readonly gatherMs: number; readonly pauseMs: number },
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update consentry.wanted_run w set tried_at = now()
    where w.sync_id = ${syncId}
      and w.since <= now() - ${gatherMs} * interval '1 ms'
      and (w.tried_at is null or w.tried_at <= now() - ${pauseMs} * interval '1 ms')
      and not exists (
        select from consentry.sync_run r join consentry.run on run.id = r.id
        where r.sync_id = w.sync_id and r.does = 'sync' and run.finished_at is null
          and r.seen_at >= now() - ${SILENT_FOR})`.execute(db);
  return (numAffectedRows ?? 0n) > 0n;
}

/** No run of the sync is wanted any more. */
export async function dropWantedRun(db: LedgerDb, syncId: string): Promise<void> {
  await sql`update consentry.wanted_run set since = null where sync_id = ${syncId}`.execute(db);
}
