import { sql } from 'kysely';
import type { SyncSettings } from '../../contracts/sync.js';
import type { LedgerDb } from '../database.js';
import { sharedTable } from './shared-table.js';

export interface NewSync {
  readonly id: string;
  readonly accountId: string;
  /** Its name in a `consentry.yaml`; null if it was asked for without one. */
  readonly name: string | null;
  /** Where it writes, without secrets; two syncs never share one. */
  readonly destination: string;
  readonly settings: SyncSettings;
}

export interface Sync extends NewSync {
  /** Of the marker in its destination, as far as the ledger knows. */
  readonly generation: number;
  /** The destination that has it; null before the first write. Another one, after a move, has none. */
  readonly writtenTo: string | null;
  readonly createdAt: Date;
  /** When the last run ended that did all it should; null if none did. */
  readonly lastSuccessAt: Date | null;
}

export class SyncNotFoundError extends Error {
  override readonly name = 'SyncNotFoundError';
  constructor(what: string) {
    super(`There is no sync ${what} in the ledger. 'consentry sync status' lists them.`);
  }
}

/** Another sync writes into the same table or folder, which may be its history or its memberships of lists. */
export class DestinationTakenError extends Error {
  override readonly name = 'DestinationTakenError';
  constructor(destination: string, { name, accountId, id }: Sync) {
    super(
      `The sync ${name ?? id} of account ${accountId} writes to ${destination} already: two syncs would ` +
        'overwrite each other. Give this one a table of its own, also for its history and its lists.',
    );
  }
}

/** Another run of the sync is working. */
export class SyncIsRunningError extends Error {
  override readonly name = 'SyncIsRunningError';
  constructor(
    readonly runId: string,
    /** The execution that works for it. */
    readonly workflowId: string,
  ) {
    super(
      `The run ${runId} of this sync is still working. Wait for its end; 'consentry sync status' shows it.`,
    );
  }
}

/**
 * Creates a sync, or changes the settings of the one with this name, or with this destination if it
 * has no name.
 *
 * @returns the sync; its id is that of the first time
 * @throws DestinationTakenError
 */
export async function defineSync(db: LedgerDb, sync: NewSync): Promise<Sync> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('consentry.sync', 0))`.execute(tx);
    const known = await listSyncs(tx);
    // One without a name is known by where it writes.
    const own = known.find(
      ({ name, accountId, destination }) =>
        name === sync.name &&
        accountId === sync.accountId &&
        (name !== null || destination === sync.destination),
    );
    for (const other of known) {
      if (other.id === own?.id) continue;
      const isSame = other.destination === sync.destination;
      const shared = isSame ? sync.destination : sharedTable(sync, other);
      if (shared !== null) throw new DestinationTakenError(shared, other);
    }
    const settings = JSON.stringify(sync.settings);
    if (own === undefined) {
      const { id, accountId: account_id, name, destination } = sync;
      await tx.insertInto('sync').values({ id, account_id, name, destination, settings }).execute();
      return getSync(tx, id);
    }
    const isMoved =
      own.destination !== sync.destination ||
      canonicalTo(own.settings) !== canonicalTo(sync.settings);
    if (isMoved) await requireAtRest(tx, own.id);
    await tx
      .updateTable('sync')
      .set({
        settings,
        destination: sync.destination,
      })
      .where('id', '=', own.id)
      .execute();
    return getSync(tx, own.id);
  });
}

/** A run keeps to the place where it began. @throws SyncIsRunningError */
async function requireAtRest(tx: LedgerDb, syncId: string): Promise<void> {
  const working = await tx
    .selectFrom('sync_run')
    .innerJoin('run', 'run.id', 'sync_run.id')
    .select(['sync_run.id', 'workflow_id'])
    .where('sync_id', '=', syncId)
    .where('finished_at', 'is', null)
    .executeTakeFirst();
  if (working !== undefined) throw new SyncIsRunningError(working.id, working.workflow_id);
}

/** Where a sync writes, as a text; the ledger does not keep the order of keys. */
function canonicalTo({ to }: SyncSettings): string {
  return JSON.stringify(Object.entries(to).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @throws SyncNotFoundError */
export async function getSync(db: LedgerDb, id: string): Promise<Sync> {
  const sync = (await listSyncs(db)).find((each) => each.id === id);
  if (sync === undefined) throw new SyncNotFoundError(id);
  return sync;
}

/** All syncs of the ledger, the oldest first: there are few. */
export async function listSyncs(db: LedgerDb): Promise<Sync[]> {
  const rows = await db
    .selectFrom('sync')
    .selectAll()
    .select(
      sql<Date | null>`(
        select max(run.finished_at) from consentry.sync_run r join consentry.run on run.id = r.id
        where r.sync_id = sync.id and r.does = 'sync' and r.failure is null)`.as('last_success_at'),
    )
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    destination: row.destination,
    settings: row.settings,
    generation: Number(row.generation),
    writtenTo: row.written_to,
    createdAt: row.created_at,
    lastSuccessAt: row.last_success_at,
  }));
}

/**
 * Records the generation of the marker, after the transaction that wrote it. A worker that was taken
 * for dead may say it late: an older one changes nothing.
 */
export async function noteGeneration(db: LedgerDb, id: string, generation: number): Promise<void> {
  await db
    .updateTable('sync')
    .set({ generation: String(generation), written_to: sql`destination` })
    .where('id', '=', id)
    .where('generation', '<', String(generation))
    .execute();
}

/** Takes the generation of a marker as it is, also an older one. */
export async function adoptGeneration(db: LedgerDb, id: string, generation: number): Promise<void> {
  await db
    .updateTable('sync')
    .set({ generation: String(generation), written_to: sql`destination` })
    .where('id', '=', id)
    .execute();
}

/** Since when people have been told that a sync is not well; null while it is. */
export async function alertOf(db: LedgerDb, id: string): Promise<Date | null> {
  const row = await db
    .selectFrom('sync')
    .select('alerted_at')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.alerted_at ?? null;
}

/** By then a notice was sent, or the worker that had begun it died. */
export const NOTICE_TAKES = sql`interval '2 minutes'`;

/**
 * Begins a notice: of several workers, one sends it. If it dies on the way, another does after two minutes, so
 * a notice may be sent twice, and is never lost.
 *
 * @param isAlerted what people had been told before
 * @returns whether the caller is to send it
 */
export async function beginNotice(db: LedgerDb, id: string, isAlerted: boolean): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('sync')
    .set({ notice_begun_at: sql`now()` })
    .where('id', '=', id)
    .where('alerted_at', isAlerted ? 'is not' : 'is', null)
    .where((eb) =>
      eb.or([
        eb('notice_begun_at', 'is', null),
        eb('notice_begun_at', '<', sql<Date>`now() - ${NOTICE_TAKES}`),
        // The ledger's clock has gone back.
        eb('notice_begun_at', '>', sql<Date>`now()`),
      ]),
    )
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Notes after a notice what people have been told by now. */
export async function noteTold(db: LedgerDb, id: string, isAlerted: boolean): Promise<void> {
  await db
    .updateTable('sync')
    .set({ alerted_at: isAlerted ? sql`now()` : null, notice_begun_at: null })
    .where('id', '=', id)
    .execute();
}

/** Gives a notice back that was not sent. */
export async function giveNoticeBack(db: LedgerDb, id: string): Promise<void> {
  await db.updateTable('sync').set({ notice_begun_at: null }).where('id', '=', id).execute();
}
