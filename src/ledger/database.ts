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

/** Of one statement. The longest ones read every person of a migration: minutes for ten million. */
const STATEMENT_WITHIN = "set statement_timeout = '30min'";

/** How long a query waits for a connection, unless the caller says otherwise. */
const CONNECTION_WITHIN_MS = 60_000;

/**
 * Opens the ledger at `databaseUrl` and brings its schema up to date; several processes may do this
 * at once. A query fails if it gets no connection in time, or runs for half an hour: a server that
 * is slow, full or gone shows as the failure of an activity, which is tried again.
 *
 * @param options.connections size of the pool, default 10
 * @param options.connectionWithinMs how long a query waits for a connection, default a minute
 * @throws LedgerUnavailableError when the database does not answer or the role may not use it
 */
export async function openLedger(
  databaseUrl: string,
  { connections = 10, connectionWithinMs = CONNECTION_WITHIN_MS }: LedgerOptions = {},
): Promise<Ledger> {
  const connectionString = await withTls(databaseUrl).catch((error: unknown) => {
    throw unavailable(databaseUrl, error);
  });
  const open = (max: number, session: string) =>
    openPool({ connectionString, max, connectionTimeoutMillis: connectionWithinMs }, session);
  // Without a limit: bringing a large ledger up to date may take longer than any other statement.
  const migrating = kyselyOf(open(2, BY_KEY));
  try {
    await migrateToLatest(migrating);
  } catch (error) {
    throw unavailable(databaseUrl, error);
  } finally {
    await migrating.destroy();
  }
  const pool = open(connections, `${BY_KEY}; ${STATEMENT_WITHIN}`);
  const db = kyselyOf(pool);
  return { db, pool, close: () => db.destroy() };
}

export interface LedgerOptions {
  readonly connections?: number;
  readonly connectionWithinMs?: number;
}

/** @param session statements that each connection begins with */
function openPool(config: pg.PoolConfig, session: string): pg.Pool {
  const pool = new pg.Pool({
    ...config,
    // A server that vanished without a word is noticed, also while a long statement runs.
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- pg awaits it, whatever its type says
    onConnect: (client) => client.query(session),
  });
  // The server may close an idle connection. That is no error: the pool opens another.
  pool.on('error', () => undefined);
  // The same for a connection between two queries of a transaction: its next query fails.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

function kyselyOf(pool: pg.Pool): LedgerDb {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }).withSchema(SCHEMA);
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
