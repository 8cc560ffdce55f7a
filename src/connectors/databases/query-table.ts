import { createHash } from 'node:crypto';
import { parseDatabaseUrl } from './database-url.js';
import { queryMysql } from './mysql.js';
import { queryPostgres } from './postgres.js';
import type { RunQuery } from './query-batch.js';
import { MAX_RECORD } from '../files/csv-reader.js';
import { Header } from '../header.js';
import { changed } from '../files/source-file.js';
import { SourceError } from '../source-error.js';
import type { Table, TableRow } from '../table.js';

const BATCH_ROWS = 1_000;

/**
 * The result of a query on PostgreSQL (`postgres://`) or MySQL and MariaDB (`mysql://`). The query
 * runs once for its columns, where it stops after the first row, and again each time it is read.
 * Throws `SourceError`.
 */
export async function openQueryTable(url: string, sql: string): Promise<Table> {
  const database = parseDatabaseUrl(url);
  const query: RunQuery = database.kind === 'postgres' ? queryPostgres : queryMysql;
  // `return` inside the loop closes the connection.
  async function readColumns(): Promise<readonly string[]> {
    for await (const { columns } of query(database, sql, 1)) return columns;
    return [];
  }
  const header = new Header(database.shown, await readColumns(), undefined);
  async function* rows(): AsyncGenerator<readonly TableRow[], void, undefined> {
    let count = 0;
    for await (const batch of query(database, sql, BATCH_ROWS)) {
      // A view or table may have other columns by now.
      if (!header.hasExactly(batch.columns)) throw changed(database.shown);
      const first = count + 1;
      refuseLong(database.shown, header, first, batch.rows);
      yield batch.rows.map((fields, i) => ({ line: first + i, fields }));
      count += batch.rows.length;
    }
  }
  const sha256 = createHash('sha256').update(`${database.shown}\n${sql.trim()}`).digest('hex');
  return {
    header,
    counts: 'rows',
    notices: [],
    rows,
    sha256: () => Promise.resolve(sha256),
    close: () => Promise.resolve(),
  };
}

/** The same limit as for a line of a file: no column about people has more. */
function refuseLong(
  file: string,
  { columns }: Header,
  first: number,
  rows: readonly (readonly string[])[],
): void {
  for (const [n, fields] of rows.entries()) {
    const at = fields.findIndex((value) => value.length > MAX_RECORD);
    if (at === -1) continue;
    throw new SourceError(
      'record_too_long',
      { file, row: first + n, column: columns[at] },
      'The value is longer than a million characters.',
      'Leave the column out of the query, or select only its beginning: left(column, 100).',
    );
  }
}
