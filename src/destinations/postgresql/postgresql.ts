import pg from 'pg';
import { parseDatabaseUrl, type DatabaseUrl } from '../../connectors/databases/database-url.js';
import { withTls } from '../../connectors/databases/tls.js';
import type { Dialect, Relation, Right, SqlDatabase, SqlSession } from '../sql/database.js';
import type { Table } from '../sql/layout.js';
import { checkServer, mayCreate, missingRights, relationOf } from './catalog.js';
import { POSTGRESQL } from './dialect.js';
import { connectFailed, statementFailed } from './errors.js';
import { PostgresqlSession } from './session.js';

const CONNECT_MS = 15_000;
const CONNECTIONS = 4;

/**
 * In every transaction, since a pooler between us and the server may give each one another session:
 * times and dates in the form that is read back, whatever the server, the database or the role says.
 */
const SESSION = `set local timezone to 'UTC'; set local datestyle to 'ISO'; set local lock_timeout to '60s'`;
const BEGIN = {
  read: `begin isolation level read committed read only; ${SESSION}`,
  write: `begin isolation level read committed read write; ${SESSION}`,
  snapshot: `begin isolation level repeatable read read only; ${SESSION}`,
} as const;

type Named = Pick<Table, 'schema' | 'name'>;

export class PostgresqlDatabase implements SqlDatabase {
  readonly dialect: Dialect = POSTGRESQL;
  readonly shown: string;
  readonly #database: DatabaseUrl;
  #pool: Promise<pg.Pool> | null = null;

  /**
   * Connects when it is first used.
   *
   * @throws SourceError if the URL cannot be read
   */
  constructor(url: string) {
    this.#database = parseDatabaseUrl(url);
    this.shown = this.#database.shown;
  }

  use<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.#transaction('read', work);
  }

  transaction<T>(how: 'write' | 'snapshot', work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.#transaction(how, work);
  }

  async #transaction<T>(
    how: keyof typeof BEGIN,
    work: (session: SqlSession) => Promise<T>,
  ): Promise<T> {
    const client = await this.#connect();
    const run = async (text: string): Promise<void> => {
      try {
        await client.query(text);
      } catch (error) {
        throw this.#failed(error);
      }
    };
    try {
      await run(BEGIN[how]);
      const result = await work(new PostgresqlSession(client, (error) => this.#failed(error)));
      await run('commit');
      client.release();
      return result;
    } catch (error) {
      // The server rolls back what a closed connection has begun.
      await client.query('rollback').then(
        () => client.release(),
        () => client.release(true),
      );
      throw error;
    }
  }

  alone<T>(name: string, work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.transaction('write', async (session) => {
      await session.query('select pg_advisory_xact_lock(hashtextextended(?, 0))', [name]);
      return work(session);
    });
  }

  check(session: SqlSession): Promise<void> {
    return checkServer(session, this.shown);
  }

  relation(session: SqlSession, table: Named): Promise<Relation | null> {
    return relationOf(session, table);
  }

  mayCreate(session: SqlSession, table: Named): Promise<void> {
    return mayCreate(session, table, this.shown);
  }

  missingRights(session: SqlSession, table: Named, rights: readonly Right[]): Promise<Right[]> {
    return missingRights(session, table, rights);
  }

  async close(): Promise<void> {
    const pool = await this.#pool;
    this.#pool = null;
    await pool?.end();
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      this.#pool ??= this.#open();
      return await (await this.#pool).connect();
    } catch (error) {
      throw connectFailed(this.#database, error);
    }
  }

  async #open(): Promise<pg.Pool> {
    try {
      const pool = new pg.Pool({
        connectionString: await withTls(this.#database.url),
        max: CONNECTIONS,
        connectionTimeoutMillis: CONNECT_MS,
        keepAlive: true,
        keepAliveInitialDelayMillis: 30_000,
        application_name: 'consentry sync',
      });
      // A connection that breaks while nobody uses it is no error, and its user gets the error too.
      pool.on('error', () => undefined);
      pool.on('connect', (client) => client.on('error', () => undefined));
      return pool;
    } catch (error) {
      this.#pool = null;
      throw error;
    }
  }

  #failed(error: unknown): Error {
    return statementFailed(this.#database, error);
  }
}
