import { Kysely, Migrator, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { FORMER_KEYS, SCHEMA_MIGRATIONS } from './schema/migrations.js';
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

/** The database cannot be reached or used. The message says what to do. */
export class LedgerUnavailableError extends Error {
  override readonly name = 'LedgerUnavailableError';
}

const SCHEMA = 'consentry';

/**
 * Queries fetch rows by key, a thousand at a time. By default PostgreSQL assumes a spinning disk,
 * where a random page costs four times as much as a sequential one, and so scans whole tables to
 * find a thousand rows.
 */
const BY_KEY = 'set random_page_cost = 1.1';

/**
 * Opens the ledger at `databaseUrl` and brings its schema up to date; several processes may do this
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
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- pg awaits it, whatever its type says
    onConnect: (client) => client.query(BY_KEY),
  });
  // The server may close an idle connection. That is no error: the pool opens another.
  pool.on('error', () => undefined);
  // The same for a connection between two queries of a transaction: its next query fails.
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
  const { rows } = await sql<{ server_version_num: string; server_version: string }>`
    select current_setting('server_version_num') as server_version_num,
      current_setting('server_version') as server_version`.execute(db);
  const [server] = rows;
  if (server !== undefined && Number(server.server_version_num) < OLDEST_SERVER * 10_000) {
    throw new ServerTooOldError(`it is PostgreSQL ${server.server_version}`);
  }
  // Two `create schema if not exists` at the same time can fail, hence the lock.
  await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('consentry.schema', 0))`.execute(tx);
    await sql`create schema if not exists consentry`.execute(tx);
    await renameKeys(tx);
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
    throw new OtherVersionError(error.message, { cause: error });
  }
  if (error instanceof Error) throw error;
  if (error !== undefined)
    throw new Error('The schema could not be brought up to date', { cause: error });
}

/** Ledgers that were made before the first release have other keys for the same migrations. */
async function renameKeys(tx: LedgerDb): Promise<void> {
  const { rows } = await sql<{ exists: boolean }>`
    select to_regclass('consentry.kysely_migration') is not null as exists`.execute(tx);
  if (rows[0]?.exists !== true) return;
  await sql`
    update consentry.kysely_migration set name = renamed.to
    from unnest(
      ${Object.keys(FORMER_KEYS)}::text[], ${Object.values(FORMER_KEYS)}::text[]
    ) as renamed ("from", "to")
    where name = renamed.from`.execute(tx);
}

/** The first version with multiranges. */
const OLDEST_SERVER = 14;

class ServerTooOldError extends Error {
  override readonly name = 'ServerTooOldError';
}

/** The ledger has schema migrations that this version does not know. */
class OtherVersionError extends Error {
  override readonly name = 'OtherVersionError';
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
        otherVersionRemedy(cause) ??
        (cause instanceof ServerTooOldError
          ? `The ledger needs PostgreSQL ${OLDEST_SERVER} or later.`
          : null) ??
        'Check DATABASE_URL, that PostgreSQL runs there, and that the role may create a schema.'),
    { cause },
  );
}

function otherVersionRemedy(cause: unknown): string | null {
  if (!(cause instanceof OtherVersionError)) return null;
  return `Another version of Consentry made its schema: use that version, or another database.`;
}

function withoutPassword(databaseUrl: string): string {
  try {
    const url = new URL(databaseUrl);
    return `${url.hostname}:${url.port === '' ? '5432' : url.port}${url.pathname}`;
  } catch {
    return 'DATABASE_URL';
  }
}
