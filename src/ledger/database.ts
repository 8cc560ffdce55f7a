import { Kysely, Migrator, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { SCHEMA_MIGRATIONS } from './schema/migrations.js';
import { tlsRemedy, withTls } from '../connectors/databases/tls.js';
import type { Tables } from './schema/tables.js';

export type LedgerDb = Kysely<Tables>;

/** The ledger database: the only place with personal data. Everything is in schema `consentry`. */
export interface Ledger {
  readonly db: LedgerDb;
  /** For COPY, which needs a connection of its own. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** The database could not be reached or is not usable; the message names the remedy. */
export class LedgerUnavailableError extends Error {
  override readonly name = 'LedgerUnavailableError';
}

const SCHEMA = 'consentry';

/**
 * Rows are asked for by the thousand and by key. PostgreSQL's default takes a page at random for four
 * times as dear as one in order, as on a turning disk, and so reads whole tables to find a thousand.
 */
const BY_KEY = 'set random_page_cost = 1.1';

/**
 * Opens the ledger at `databaseUrl` and brings its schema up to date; several processes may do so
 * at once.
 *
 * @param options.connections size of the pool, default 10
 * @throws LedgerUnavailableError when the database does not answer or the role may not use it
 */
export async function openLedger(
  databaseUrl: string,
  options: { connections?: number } = {},
): Promise<Ledger> {
  const connectionString = await withTls(databaseUrl).catch((error: unknown) => {
    throw unavailable(databaseUrl, error);
  });
  const pool = new pg.Pool({
    connectionString,
    max: options.connections ?? 10,
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- waited for, whatever its type says
    onConnect: (client) => client.query(BY_KEY),
  });
  // An idle connection that the server closes is not an error of ours: the pool opens another.
  pool.on('error', () => undefined);
  // Nor of one that somebody holds, between two queries of a transaction: the next query fails.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }).withSchema(SCHEMA);
  try {
    await migrateToLatest(db);
  } catch (error) {
    await db.destroy();
    throw unavailable(databaseUrl, error);
  }
  return { db, pool, close: () => db.destroy() };
}

async function migrateToLatest(db: LedgerDb): Promise<void> {
  // `create schema if not exists` is not safe against itself, hence the lock.
  await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('consentry.schema', 0))`.execute(tx);
    await sql`create schema if not exists consentry`.execute(tx);
  });
  const migrator = new Migrator({
    db,
    migrationTableSchema: SCHEMA,
    provider: {
      getMigrations: () => Promise.resolve(SCHEMA_MIGRATIONS),
    },
  });
  const { error } = await migrator.migrateToLatest();
  if (error instanceof Error && /^corrupted migrations/.test(error.message)) {
    throw new Error(
      `its schema was made by another version of Consentry: ${error.message}; use that version, or a database without the schema ${SCHEMA}`,
    );
  }
  if (error instanceof Error) throw error;
  if (error !== undefined)
    throw new Error('The schema could not be brought up to date', { cause: error });
}

function unavailable(databaseUrl: string, cause: unknown): LedgerUnavailableError {
  const code =
    cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
      ? cause.code
      : 'unknown error';
  const message = cause instanceof Error && cause.message !== '' ? cause.message : code;
  return new LedgerUnavailableError(
    `The ledger database at ${withoutPassword(databaseUrl)} is not usable (${message}). ` +
      (tlsRemedy(cause) ??
        'Check DATABASE_URL, that PostgreSQL runs there, and that the role may create a schema.'),
    { cause },
  );
}

function withoutPassword(databaseUrl: string): string {
  try {
    const url = new URL(databaseUrl);
    return `${url.hostname}:${url.port === '' ? '5432' : url.port}${url.pathname}`;
  } catch {
    return 'DATABASE_URL';
  }
}
