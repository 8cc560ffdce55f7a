import { createHash } from 'node:crypto';
import { parseDatabaseUrl } from './databases/database-url.js';
import { queryMysql } from './databases/mysql.js';
import { queryPostgres } from './databases/postgres.js';
import type { RunQuery } from './databases/query-batch.js';
import { Header } from './header.js';
import { changed } from './source-file.js';
import type { Table, TableRow } from './table.js';

const BATCH_ROWS = 1_000;

/**
 * The result of a query on PostgreSQL (`postgres://`) or MySQL and MariaDB (`mysql://`). It runs
 * once for its columns, where it is stopped after its first row, and again each time it is read.
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
      if (!isSame(batch.columns, header.columns)) throw changed(database.shown);
      const first = count + 1;
      yield batch.rows.map((fields, i) => ({ line: first + i, fields }));
      count += batch.rows.length;
    }
  }
  const sha256 = createHash('sha256').update(`${database.shown}\n${sql.trim()}`).digest('hex');
  return {
    header,
    counts: 'rows',
    rows,
    sha256: () => Promise.resolve(sha256),
    close: () => Promise.resolve(),
  };
}

/** A view or a table may have got other columns since they were asked for. */
function isSame(columns: readonly string[], before: readonly string[]): boolean {
  return columns.length === before.length && columns.every((column, n) => column === before[n]);
}
