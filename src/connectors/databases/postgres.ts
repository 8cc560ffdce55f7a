import type { Duplex } from 'node:stream';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { withTls } from './tls.js';
import { connectionLost, notConnected, queryFailed, withoutColumns } from './database-errors.js';
import type { DatabaseUrl } from './database-url.js';
import type { QueryBatch } from './query-batch.js';

const CONNECT_MS = 15_000;
const BOOLEAN = 16;
const READ_ONLY_VIOLATED = '25006';

/** ISO dates whatever the server's settings are, and times with a zone in UTC. */
const BEGIN = `begin transaction read only; set local timezone to 'UTC'; set local datestyle to 'ISO'`;

/** Values as PostgreSQL writes them, except booleans, which it writes as `t` and `f`. */
const AS_TEXT: pg.CustomTypesConfig = {
  getTypeParser: (type: number) => (value: string) =>
    type === BOOLEAN ? String(value === 't') : value,
};

/** A `RunQuery` for PostgreSQL: reads through a portal, one batch at a time. */
export async function* queryPostgres(
  database: DatabaseUrl,
  sql: string,
  batchRows: number,
): AsyncGenerator<QueryBatch, void, undefined> {
  const client = await connect(database);
  try {
    await client.query(BEGIN);
    // The extended protocol takes only one statement, so no `commit` can end the transaction.
    const cursor = client.query(
      new Cursor<string[]>(sql, [], { rowMode: 'array', types: AS_TEXT }),
    );
    let count = 0;
    for (;;) {
      const batch = await read(cursor, batchRows).catch((error: unknown) => {
        throw readError(database, sql, count, error);
      });
      if (batch.columns.length === 0) throw withoutColumns(database);
      if (count === 0 || batch.rows.length > 0) yield batch;
      count += batch.rows.length;
      if (batch.rows.length < batchRows) return;
    }
  } finally {
    await client.end();
  }
}

async function connect(database: DatabaseUrl): Promise<pg.Client> {
  let client: pg.Client | null = null;
  try {
    client = new pg.Client({
      connectionString: await withTls(database.url),
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      application_name: 'consentry import',
    });
    // The reader of a broken connection gets the error too.
    client.on('error', () => undefined);
    await client.connect();
    failWhereParserThrows(client);
    return client;
  } catch (error) {
    await client?.end().catch(() => undefined);
    // Class 28 is a refused user, 3D an unknown database, 42501 one without the right to connect.
    const refused = /^(28|3D|42501)/.test(stateOf(error)) || isPasswordMissing(error);
    throw notConnected(database, refused, error);
  }
}

/**
 * pg's parser throws at a value that is too long for a string. It does so in the socket's listener,
 * where nothing could catch it and the process would end.
 */
function failWhereParserThrows(client: pg.Client): void {
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Duplex } })
    .connection;
  const parsers = stream.listeners('data') as ((bytes: Buffer) => void)[];
  stream.removeAllListeners('data');
  stream.on('data', (bytes: Buffer) => {
    try {
      for (const parse of parsers) parse(bytes);
    } catch (error) {
      stream.destroy(error as Error);
    }
  });
}

function isPasswordMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('SASL');
}

function read(cursor: Cursor<string[]>, count: number): Promise<QueryBatch> {
  return new Promise((resolve, reject) => {
    cursor.read(count, (error, rows, result) => {
      if (error) return reject(error);
      const columns = result.fields.map(({ name }) => name);
      resolve({ columns, rows: rows.map(blankForNull) });
    });
  });
}

function blankForNull(row: readonly (string | null)[]): readonly string[] {
  return row.map((value) => value ?? '');
}

function readError(database: DatabaseUrl, sql: string, rows: number, error: unknown): Error {
  const state = stateOf(error);
  // Class 08 is a broken connection; 57P is a server that shuts down or ends the session.
  if (!/^[0-9A-Z]{5}$/.test(state) || /^(08|57P)/.test(state)) {
    return connectionLost(database, rows, error);
  }
  return queryFailed(database, state, state === READ_ONLY_VIOLATED, error, lineOf(sql, error));
}

function stateOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : '';
}

/** Line of the query that the server's position points at; the position counts characters from 1. */
function lineOf(sql: string, error: unknown): number | null {
  const position = error instanceof pg.DatabaseError ? Number(error.position) : NaN;
  return position >= 1 ? [...sql].slice(0, position).join('').split('\n').length : null;
}
