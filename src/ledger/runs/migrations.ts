import { sql, type CompiledQuery, type RawBuilder } from 'kysely';
import type { MigrationSettings, Phase, Plan, Preflight } from '../../contracts/migration.js';
import type { Reason } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';
import { insertRun } from './runs.js';

export interface NewMigration {
  readonly id: string;
  /** Klaviyo's id of the account that the run is for. */
  readonly accountId: string;
  readonly sourceName: string;
  readonly sourceSha256: string;
  readonly preset: string;
  readonly settings: MigrationSettings;
  readonly requestHash: string;
  /** Part of the account's limits that the run may use: above 0, at most 1. */
  readonly share: number;
  /** The migration whose failed rows this one retries; null if it has its own source. */
  readonly retryOf: string | null;
  /** The program of a `consentry.yaml` that it runs; null if it belongs to none. */
  readonly program: string | null;
}

export interface Migration extends NewMigration {
  readonly preflight: Preflight | null;
  readonly phase: Phase;
  readonly paused: boolean;
  readonly failure: string | null;
  /** Nothing is submitted any more. */
  readonly stopped: boolean;
  /** Why unsent parts were not sent; null while they still may be. */
  readonly stopReason: Reason | null;
  /** Why its calls wait until somebody acts; null while they do not wait. */
  readonly held: string | null;
  readonly createdAt: Date;
  /** Since its creation, by the ledger's clock. */
  readonly ageMs: number;
  /**
   * When its source was first asked for: for a retry, when the first run of its chain was created. By
   * this process's clock, or a little before.
   */
  readonly askedAt: Date;
  readonly finishedAt: Date | null;
}

export class MigrationNotFoundError extends Error {
  override readonly name = 'MigrationNotFoundError';
  constructor(migrationId: string) {
    super(`There is no migration ${migrationId} in the ledger. 'consentry status' lists them.`);
  }
}

/** Inserts a new migration, its run first. For the transaction that stores its intents. */
export function insertMigration(db: LedgerDb, migration: NewMigration): CompiledQuery[] {
  const run = insertRun(db, { ...migration, kind: 'migration' });
  const own = db.insertInto('migration').values({
    id: migration.id,
    source_name: migration.sourceName,
    source_sha256: migration.sourceSha256,
    preset: migration.preset,
    settings: JSON.stringify(migration.settings),
    retry_of: migration.retryOf,
    program: migration.program,
    rows: 0,
    channels: [],
  });
  return [run.compile(), own.compile()];
}

const COLUMNS = [
  'migration.id',
  'source_name',
  'source_sha256',
  'preset',
  'settings',
  'preflight',
  'phase',
  'retry_of',
  'program',
  'failure',
  'request_hash',
  'account_id',
  'paused',
  'share',
  'stopped_at',
  'stop_reason',
  'held',
  'created_at',
  'finished_at',
] as const;

/**
 * A migration without its plan: see `getPlan`.
 *
 * @throws MigrationNotFoundError
 */
export async function getMigration(db: LedgerDb, migrationId: string): Promise<Migration> {
  const now = Date.now();
  const row = await db
    .selectFrom('migration')
    .innerJoin('run', 'run.id', 'migration.id')
    .select(COLUMNS)
    .select(sql<number>`(extract(epoch from now() - created_at) * 1000)::float8`.as('age_ms'))
    .select(
      sql<number>`(
        select (extract(epoch from now() - min(asked.created_at)) * 1000)::float8
        from ${retryChain(migrationId)} join consentry.run asked using (id))`.as('asked_ms'),
    )
    .where('migration.id', '=', migrationId)
    .executeTakeFirst();
  if (row === undefined) throw new MigrationNotFoundError(migrationId);
  return {
    id: row.id,
    sourceName: row.source_name,
    sourceSha256: row.source_sha256,
    preset: row.preset,
    // Runs of before these settings existed read everybody, ask everybody, and move nobody.
    settings: {
      mirror: 'off',
      absentIsNew: false,
      askAgainDays: 0,
      moveFrom: null,
      ...(row.settings as Partial<MigrationSettings>),
    } as MigrationSettings,
    requestHash: row.request_hash ?? '',
    accountId: row.account_id ?? '',
    preflight: row.preflight,
    phase: row.phase,
    paused: row.paused,
    share: row.share,
    retryOf: row.retry_of,
    program: row.program,
    failure: row.failure,
    stopped: row.stopped_at !== null,
    stopReason: row.stop_reason,
    held: row.held,
    createdAt: row.created_at,
    ageMs: row.age_ms,
    askedAt: new Date(Math.floor(now - row.asked_ms)),
    finishedAt: row.finished_at,
  };
}

/**
 * The run that read the source: this one, or the first in its chain of retries. Only that run has
 * the parts that the importer refused.
 *
 * @throws MigrationNotFoundError
 */
export async function sourceRun(db: LedgerDb, migrationId: string): Promise<string> {
  const { rows } = await sql<{ id: string }>`
    select id from ${retryChain(migrationId)} where retry_of is null`.execute(db);
  if (rows[0] === undefined) throw new MigrationNotFoundError(migrationId);
  return rows[0].id;
}

/** This run and those that it retries, one after the other, as `chain (id, retry_of)`. */
const retryChain = (migrationId: string): RawBuilder<unknown> => sql`(
  with recursive run as (
    select id, retry_of from consentry.migration where id = ${migrationId}
    union all
    select m.id, m.retry_of from consentry.migration m join run on m.id = run.retry_of
  )
  select id, retry_of from run) as chain`;

/** The plan of the run; null until it is planned. @throws MigrationNotFoundError */
export async function getPlan(db: LedgerDb, migrationId: string): Promise<Plan | null> {
  const row = await db
    .selectFrom('migration')
    .select('plan')
    .where('id', '=', migrationId)
    .executeTakeFirst();
  if (row === undefined) throw new MigrationNotFoundError(migrationId);
  return row.plan;
}

/** The running migration with this `requestHash`; null if there is none. */
export async function findRunningMigration(
  db: LedgerDb,
  requestHash: string,
): Promise<string | null> {
  const row = await db
    .selectFrom('migration')
    .innerJoin('run', 'run.id', 'migration.id')
    .select('migration.id')
    .where('request_hash', '=', requestHash)
    .where('finished_at', 'is', null)
    .orderBy('created_at', 'desc')
    .executeTakeFirst();
  return row?.id ?? null;
}

/** A run that read a source, or that retried one that did. */
export interface RunOfSource {
  readonly id: string;
  readonly settings: MigrationSettings;
  readonly phase: Phase;
  /** Some of its parts were not sent, as those that are not in a pilot. */
  readonly hasUnsent: boolean;
  readonly createdAt: Date;
}

/** The runs of an account that read this source, the newest first. */
export async function runsOfSource(
  db: LedgerDb,
  accountId: string,
  sourceSha256: string,
): Promise<RunOfSource[]> {
  const rows = await db
    .selectFrom('migration')
    .innerJoin('run', 'run.id', 'migration.id')
    .select(['migration.id', 'settings', 'phase', 'created_at'])
    .select((its) =>
      its
        .exists(
          its
            .selectFrom('settlement')
            .select('row_number')
            .whereRef('migration_number', '=', 'migration.number')
            .where('outcome', '=', 'cancelled'),
        )
        .as('has_unsent'),
    )
    .where('account_id', '=', accountId)
    .where('source_sha256', '=', sourceSha256)
    .orderBy('created_at', 'desc')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    settings: row.settings,
    phase: row.phase,
    hasUnsent: Boolean(row.has_unsent),
    createdAt: row.created_at,
  }));
}

/**
 * A run of the account that is not finished and moves people from this list; null if there is none.
 *
 * @param except a run that does not count
 */
export async function findMoveFrom(
  db: LedgerDb,
  accountId: string,
  listId: string,
  except: string,
): Promise<string | null> {
  const row = await db
    .selectFrom('migration')
    .innerJoin('run', 'run.id', 'migration.id')
    .select('migration.id')
    .where('account_id', '=', accountId)
    .where('finished_at', 'is', null)
    .where('migration.id', '<>', except)
    .where(sql<string>`settings->>'moveFrom'`, '=', listId)
    .executeTakeFirst();
  return row?.id ?? null;
}

export interface MigrationSummary {
  readonly id: string;
  readonly sourceName: string;
  readonly phase: Phase;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/** The newest migrations first. */
export async function listMigrations(db: LedgerDb, limit: number): Promise<MigrationSummary[]> {
  const rows = await db
    .selectFrom('migration')
    .innerJoin('run', 'run.id', 'migration.id')
    .select(['migration.id', 'source_name', 'phase', 'created_at', 'finished_at'])
    .orderBy('created_at', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    sourceName: row.source_name,
    phase: row.phase,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  }));
}

export async function setPreflight(
  db: LedgerDb,
  migrationId: string,
  preflight: Preflight,
): Promise<void> {
  await db
    .updateTable('migration')
    .set({ preflight: JSON.stringify(preflight) })
    .where('id', '=', migrationId)
    .execute();
}

export async function setPlan(db: LedgerDb, migrationId: string, plan: Plan): Promise<void> {
  await db
    .updateTable('migration')
    .set({ plan: JSON.stringify(plan) })
    .where('id', '=', migrationId)
    .execute();
}

/** A final phase ends the run; any other phase reopens it. */
export async function setPhase(
  db: LedgerDb,
  migrationId: string,
  phase: Phase,
  failure: string | null = null,
): Promise<void> {
  const finished =
    phase === 'done' || phase === 'planned' || phase === 'cancelled' || phase === 'failed';
  await db
    .with('ended', (cte) =>
      cte
        .updateTable('run')
        .set({ finished_at: finished ? sql`now()` : null })
        .where('id', '=', migrationId),
    )
    .updateTable('migration')
    .set({ phase, failure })
    .where('id', '=', migrationId)
    .execute();
}

/** How many rows the source of a migration has. */
export async function rowsOfSource(db: LedgerDb, migrationId: string): Promise<number> {
  const row = await db
    .selectFrom('migration')
    .select('rows')
    .where('id', '=', migrationId)
    .executeTakeFirst();
  return row?.rows ?? 0;
}
