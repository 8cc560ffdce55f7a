import { once } from 'node:events';
import {
  createConnection,
  type Connection,
  type ConnectionOptions,
  type FieldPacket,
  type QueryError,
  type RowDataPacket,
  type TypeCastField,
} from 'mysql2';
import { isLoopback } from './tls.js';
import { SourceError } from '../source-error.js';
import { connectionLost, notConnected, queryFailed, withoutColumns } from './database-errors.js';
import type { DatabaseUrl } from './database-url.js';
import type { QueryBatch } from './query-batch.js';

const CONNECT_MS = 15_000;

/** Whether the server answered, but does not accept this user. */
export function isRefused(error: unknown): boolean {
  return REFUSED.has(numberOf(error));
}

/** Access denied, no right to the database, unknown database, host not allowed. */
const REFUSED: ReadonlySet<number> = new Set([1045, 1044, 1049, 1130, 1698]);
const READ_ONLY_VIOLATED = 1792;

/** Both the session and the transaction are read-only, since some statements end a transaction. */
const BEGIN = [
  `set session time_zone = '+00:00'`,
  'set session transaction read only',
  'start transaction read only',
];

/** A `RunQuery` for MySQL and MariaDB: rows are read from the connection as they are needed. */
export async function* queryMysql(
  database: DatabaseUrl,
  sql: string,
  batchRows: number,
): AsyncGenerator<QueryBatch, void, undefined> {
  const connection = await connect(database);
  let count = 0;
  try {
    for (const statement of BEGIN) await run(connection, statement);
    const query = connection.query<RowDataPacket[]>({ sql, rowsAsArray: true, typeCast: asText });
    let columns: readonly string[] = [];
    query.on('fields', (fields: FieldPacket[] | undefined) => {
      columns = (fields ?? []).map(({ name }) => name);
    });
    let rows: string[][] = [];
    const stream = query.stream({ highWaterMark: batchRows });
    // mysql2 reports a broken connection only on the connection; its stream would wait forever.
    connection.on('error', (error: Error) => stream.destroy(error));
    for await (const row of stream) {
      // A statement without a result gives this instead of rows.
      if (!Array.isArray(row)) throw withoutColumns(database);
      rows.push(row.map(String));
      if (rows.length < batchRows) continue;
      count += rows.length;
      yield { columns, rows };
      rows = [];
    }
    if (columns.length === 0) throw withoutColumns(database);
    if (count === 0 || rows.length > 0) yield { columns, rows };
  } catch (error) {
    throw error instanceof SourceError ? error : readError(database, count, error);
  } finally {
    connection.destroy();
  }
}

async function connect(database: DatabaseUrl): Promise<Connection> {
  const connection = createConnection(connectionOptions(database));
  // Without a listener, a broken connection would end the process.
  connection.on('error', () => undefined);
  try {
    await once(connection, 'connect');
    return connection;
  } catch (error) {
    connection.destroy();
    throw notConnected(database, isRefused(error), error);
  }
}

/** Throws `SourceError` for a parameter that means nothing. */
export function connectionOptions(database: DatabaseUrl): ConnectionOptions {
  const socket = database.parameters.get('socket');
  const told = database.parameters.get('ssl') ?? null;
  // Without a verified certificate, the password could go to anybody who answers.
  const ssl = told === null ? socket === undefined && !isLoopback(database.host) : told === 'true';
  for (const [name, value] of database.parameters) {
    if (name === 'socket' || name === 'password') continue;
    if (name === 'ssl' && (value === 'true' || value === 'false')) continue;
    throw new SourceError(
      'database_url_invalid',
      { file: database.shown },
      `The URL has an unknown parameter "${name}".`,
      'Use ssl=true, which needs a certificate that can be verified, ssl=false or socket=/path.',
    );
  }
  return {
    user: database.user,
    password: database.password,
    database: database.database,
    connectTimeout: CONNECT_MS,
    enableKeepAlive: true,
    ...(socket === undefined
      ? { host: database.host, port: database.port ?? 3306 }
      : { socketPath: socket }),
    ...(ssl ? { ssl: {} } : {}),
  };
}

function run(connection: Connection, statement: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.query(statement, (error: QueryError | null) => (error ? reject(error) : resolve()));
  });
}

const NO_DATE = /^0000-00-00/;

/**
 * Values as the server writes them. A `TIMESTAMP` is a point in time, which the session gets in
 * UTC; a `DATETIME` has no zone. The zero date means no date.
 */
function asText(field: TypeCastField): string {
  if (field.type === 'BIT') {
    const bits = field.buffer();
    return bits === null ? '' : String(BigInt(`0x${bits.toString('hex')}`));
  }
  const text = field.string() ?? '';
  if (NO_DATE.test(text) && DATES.has(field.type)) return '';
  return field.type === 'TIMESTAMP' && text !== '' ? `${text}Z` : text;
}

const DATES: ReadonlySet<string> = new Set(['TIMESTAMP', 'DATETIME', 'DATE', 'NEWDATE']);

function readError(database: DatabaseUrl, rows: number, error: unknown): Error {
  const number = numberOf(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // Numbers from 2000 are the client's own; 1053 is a shutdown, 1927 a killed session.
  const ofServer = number >= 1000 && number < 2000 && number !== 1053 && number !== 1927;
  if (!ofServer && !code.startsWith('ER_')) return connectionLost(database, rows, error);
  return queryFailed(database, code, number === READ_ONLY_VIOLATED, error);
}

/** The server's number of an error, or the client's; NaN for any other error. */
export function numberOf(error: unknown): number {
  return error instanceof Error && 'errno' in error ? Number(error.errno) : NaN;
}
