import { sql } from 'kysely';
import type {
  Drift,
  SyncCounts,
  SyncRunKind,
  ValidationFound,
  WholeReading,
} from '../../contracts/sync.js';
import { lagsTogether, type Lags } from '../../contracts/sync-lag.js';
import type { LedgerDb } from '../database.js';
import { insertRun } from '../runs/runs.js';
import { SyncIsRunningError } from './syncs.js';

/** Runs are kept this long: `sync status` shows them. */
const RUNS_LIVE = sql`interval '90 days'`;

/** A run that nobody worked for this long is over: its workflow was terminated. */
export const SILENT_FOR = sql`interval '10 minutes'`;

export interface SyncRun extends SyncCounts {
  readonly id: string;
  readonly syncId: string;
  readonly does: SyncRunKind;
  readonly workflowId: string;
  readonly whole: WholeReading | null;
  readonly drift: Drift;
  readonly warning: string | null;
  readonly failure: string | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly calls: number;
}

/**
 * Begins a run of a sync, unless another one is working; does nothing if this one has begun. Old runs
 * are deleted on the way.
 *
 * @param run.secret the address of the destination, if only this run knows it
 * @throws SyncIsRunningError
 */
export async function beginSyncRun(
  db: LedgerDb,
  run: {
    readonly id: string;
    readonly syncId: string;
    readonly accountId: string;
    readonly workflowId: string;
    readonly does?: SyncRunKind;
    readonly share?: number;
    readonly secret?: string | null;
  },
): Promise<void> {
  const { id, syncId, accountId, workflowId, does = 'sync', share = 1, secret = null } = run;
  await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`sync ${syncId}`}, 0))`.execute(tx);
    await sql`
      with silent as (
        update consentry.run set finished_at = now() from consentry.sync_run r
        where r.id = run.id and r.sync_id = ${syncId} and r.id <> ${id}
          and run.finished_at is null and r.seen_at < now() - ${SILENT_FOR}
        returning run.id
      )
      update consentry.sync_run set secret = null, found = null,
        failure = 'Nobody has worked for it for long.'
      where id in (select id from silent)`.execute(tx);
    const working = await tx
      .selectFrom('sync_run')
      .innerJoin('run', 'run.id', 'sync_run.id')
      .select(['sync_run.id', 'workflow_id'])
      .where('sync_id', '=', syncId)
      .where('does', '=', 'sync')
      .where('finished_at', 'is', null)
      .where('sync_run.id', '<>', id)
      .executeTakeFirst();
    if (working !== undefined && does === 'sync') {
      throw new SyncIsRunningError(working.id, working.workflow_id);
    }
    const { numUpdatedRows: own } = await tx
      .updateTable('sync_run')
      .set({ seen_at: sql`now()`, failure: null })
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    if (own > 0n) {
      // It may have been taken for dead meanwhile.
      await tx.updateTable('run').set({ finished_at: null }).where('id', '=', id).execute();
      return;
    }
    await sql`
      delete from consentry.run using consentry.sync_run r
      where r.id = run.id and r.sync_id = ${syncId}
        and run.created_at < now() - ${RUNS_LIVE}`.execute(tx);
    await insertRun(tx, { id, kind: 'sync', accountId, requestHash: null, share }).execute();
    await tx
      .insertInto('sync_run')
      .values({ id, sync_id: syncId, workflow_id: workflowId, does, secret })
      .execute();
  });
}

/**
 * Says that somebody works for a run.
 *
 * @throws SyncIsRunningError if it was taken for dead and has been ended: another may be working
 */
export async function noteSeen(db: LedgerDb, runId: string): Promise<void> {
  const { rows } = await sql<{ workflow_id: string }>`
    update consentry.sync_run r set seen_at = now() from consentry.run
    where r.id = ${runId} and run.id = r.id and run.finished_at is null
    returning r.workflow_id`.execute(db);
  if (rows.length === 0) throw new SyncIsRunningError(runId, '');
}

/** Keeps what a person has to know of a run that did all it should. */
export async function noteWarning(db: LedgerDb, runId: string, warning: string): Promise<void> {
  await db.updateTable('sync_run').set({ warning }).where('id', '=', runId).execute();
}

/** Whether the ledger knows a run as one of this sync. */
export async function isRunOf(db: LedgerDb, syncId: string, runId: string): Promise<boolean> {
  const row = await db
    .selectFrom('sync_run')
    .select('id')
    .where('id', '=', runId)
    .where('sync_id', '=', syncId)
    .executeTakeFirst();
  return row !== undefined;
}

/** The address of the destination of a run, if only it knows it. */
export async function secretOf(db: LedgerDb, runId: string): Promise<string | null> {
  const row = await db
    .selectFrom('sync_run')
    .select('secret')
    .where('id', '=', runId)
    .executeTakeFirst();
  return row?.secret ?? null;
}

/** Adds to what a run did, and says that it is alive. */
export async function noteSynced(
  db: LedgerDb,
  runId: string,
  { read, added, changed, removed, membersJoined, membersLeft }: SyncCounts,
  drift: Drift = {},
): Promise<void> {
  await sql`
    update consentry.sync_run set seen_at = now(),
      read = read + ${read}, added = added + ${added}, changed = changed + ${changed},
      removed = removed + ${removed}, members_joined = members_joined + ${membersJoined},
      members_left = members_left + ${membersLeft},
      drift = coalesce((
        select jsonb_object_agg(key, total) from (
          select key, sum(value::bigint) as total
          from (select * from jsonb_each_text(drift)
            union all select * from jsonb_each_text(${JSON.stringify(drift)}::jsonb)) as each
          group by key) as totals), '{}')
    where id = ${runId}`.execute(db);
}

/** Adds how late a run noticed changes. */
export async function noteLags(db: LedgerDb, runId: string, lags: Lags): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('sync_run')
      .select('lags')
      .where('id', '=', runId)
      .forUpdate()
      .executeTakeFirst();
    const sum = lagsTogether([row?.lags ?? {}, lags]);
    await tx
      .updateTable('sync_run')
      .set({ lags: JSON.stringify(sum) })
      .where('id', '=', runId)
      .execute();
  });
}

/** How late changes were noticed by the runs of a sync that worked in the last 24 hours. */
export async function lagsOfDay(db: LedgerDb, syncId: string): Promise<Lags> {
  const rows = await db
    .selectFrom('sync_run')
    .innerJoin('run', 'run.id', 'sync_run.id')
    .select('lags')
    .where('sync_id', '=', syncId)
    .where(sql<boolean>`coalesce(run.finished_at, now()) > now() - interval '24 hours'`)
    .execute();
  return lagsTogether(rows.map(({ lags }) => lags));
}

export async function noteWhole(
  db: LedgerDb,
  runId: string,
  whole: WholeReading | null,
): Promise<void> {
  await db
    .updateTable('sync_run')
    .set({ whole, seen_at: sql`now()` })
    .where('id', '=', runId)
    .execute();
}

/** Ends a run and forgets its secret. @param failure null if it did all that it should */
export async function endSyncRun(
  db: LedgerDb,
  runId: string,
  failure: string | null,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .updateTable('sync_run')
      .set({ failure, secret: null })
      .where('id', '=', runId)
      .execute();
    await tx
      .updateTable('run')
      .set({ finished_at: sql`now()` })
      .where('id', '=', runId)
      .where('finished_at', 'is', null)
      .execute();
  });
}

/** The runs of a sync, the newest first. @param does only such */
export async function syncRuns(
  db: LedgerDb,
  syncId: string,
  limit: number,
  does: SyncRunKind | null = null,
): Promise<SyncRun[]> {
  const rows = await db
    .selectFrom('sync_run')
    .innerJoin('run', 'run.id', 'sync_run.id')
    .select([
      'sync_run.id',
      'sync_id',
      'does',
      'workflow_id',
      'whole',
      'read',
      'added',
      'changed',
      'removed',
      'members_joined',
      'members_left',
      'drift',
      'warning',
      'failure',
      'created_at',
      'finished_at',
    ])
    .select(
      sql<string>`(select coalesce(sum(calls), 0) from consentry.call_count c where c.run_id = sync_run.id)`.as(
        'calls',
      ),
    )
    .where('sync_id', '=', syncId)
    .where('does', 'in', does === null ? ['sync', 'validation'] : [does])
    .orderBy('created_at', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    syncId: row.sync_id,
    does: row.does,
    workflowId: row.workflow_id,
    whole: row.whole,
    read: Number(row.read),
    added: Number(row.added),
    changed: Number(row.changed),
    removed: Number(row.removed),
    membersJoined: Number(row.members_joined),
    membersLeft: Number(row.members_left),
    drift: row.drift,
    warning: row.warning,
    failure: row.failure,
    startedAt: row.created_at,
    finishedAt: row.finished_at,
    calls: Number(row.calls),
  }));
}

/** Keeps what a validation found until somebody takes it. */
export async function noteFound(
  db: LedgerDb,
  runId: string,
  found: ValidationFound,
): Promise<void> {
  await db
    .updateTable('sync_run')
    .set({ found: JSON.stringify(found) })
    .where('id', '=', runId)
    .execute();
}

/** Takes what a validation found: it is kept no longer. Null if it found nothing yet. */
export async function takeFound(db: LedgerDb, runId: string): Promise<ValidationFound | null> {
  return db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('sync_run')
      .select('found')
      .where('id', '=', runId)
      .forUpdate()
      .executeTakeFirst();
    await tx.updateTable('sync_run').set({ found: null }).where('id', '=', runId).execute();
    return row?.found ?? null;
  });
}
