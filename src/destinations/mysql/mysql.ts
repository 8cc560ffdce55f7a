import { createPool, type Pool, type PoolConnection } from 'mysql2/promise';
import { parseDatabaseUrl, type DatabaseUrl } from '../../connectors/databases/database-url.js';
import { connectionOptions } from '../../connectors/databases/mysql.js';
import { DestinationError } from '../destination.js';
import type { Dialect, Relation, Right, SqlDatabase, SqlSession } from '../sql/database.js';
import type { Table } from '../sql/layout.js';
import { checkServer, mayCreate, missingRights, relationOf } from './catalog.js';
import { MYSQL } from './dialect.js';
import { connectFailed, statementFailed } from './errors.js';
import { MysqlSession } from './session.js';

const CONNECTIONS = 4;
/** Of a lock that another process has. */
const LOCK_S = 60;

/**
 * Before every transaction: values are refused rather than changed to fit, and a backslash escapes in
 * a text, as the driver expects it, whatever the server's settings are.
 */
const SESSION = [
  `set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',
    innodb_lock_wait_timeout = ${LOCK_S}`,
  'set names utf8mb4',
];
const BEGIN = {
  read: ['set transaction isolation level read committed', 'start transaction read only'],
  write: ['set transaction isolation level read committed', 'start transaction read write'],
  snapshot: [
    'set transaction isolation level repeatable read',
    'start transaction with consistent snapshot, read only',
  ],
  /** Each statement by itself: a server commits those that create tables. */
  none: [],
} as const;

type Named = Pick<Table, 'schema' | 'name'>;

/** MySQL and MariaDB. */
export class MysqlDatabase implements SqlDatabase {
  readonly dialect: Dialect = MYSQL;
  readonly shown: string;
  readonly #database: DatabaseUrl;
  readonly #pool: Pool;
  #closed: Promise<void> | null = null;

  /**
   * Connects when it is first used.
   *
   * @throws SourceError if the URL cannot be read
   */
  constructor(url: string) {
    this.#database = parseDatabaseUrl(url);
    this.shown = this.#database.shown;
    this.#pool = createPool({
      ...connectionOptions(this.#database),
      connectionLimit: CONNECTIONS,
      charset: 'utf8mb4_bin',
    });
  }

  use<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.#session('read', work);
  }

  transaction<T>(how: 'write' | 'snapshot', work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.#session(how, work);
  }

  alone<T>(name: string, work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.#session('none', async (session) => {
      const lock = `concat('consentry ', md5(?))`;
      const [row] = await session.query(`select get_lock(${lock}, ${LOCK_S}) = 1`, [name]);
      if (row?.[0] !== '1') {
        throw new DestinationError(
          `${this.shown}: another process has been checking the same tables for ${LOCK_S} s. It is ` +
            `tried again.`,
          true,
        );
      }
      const result = await work(session);
      // After an error, the connection is closed, which releases it too.
      await session.query(`select release_lock(${lock})`, [name]);
      return result;
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

  missingRights(session: SqlSession, table: Table, rights: readonly Right[]): Promise<Right[]> {
    return missingRights(session, table, rights);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#pool.end());
  }

  async #session<T>(
    how: keyof typeof BEGIN,
    work: (session: SqlSession) => Promise<T>,
  ): Promise<T> {
    const connection = await this.#connect();
    const run = async (text: string): Promise<void> => {
      try {
        await connection.query(text);
      } catch (error) {
        throw statementFailed(this.#database, error);
      }
    };
    try {
      for (const statement of [...SESSION, ...BEGIN[how]]) await run(statement);
      const session = new MysqlSession(connection, (error) =>
        statementFailed(this.#database, error),
      );
      const result = await work(session);
      await run('commit');
      connection.release();
      return result;
    } catch (error) {
      // The server rolls back what a closed connection has begun.
      connection.destroy();
      throw error;
    }
  }

  async #connect(): Promise<PoolConnection> {
    try {
      return await this.#pool.getConnection();
    } catch (error) {
      throw connectFailed(this.#database, error);
    }
  }
}
