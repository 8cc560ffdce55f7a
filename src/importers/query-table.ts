import { parseDatabaseUrl } from './databases/database-url.js';
import { queryMysql } from './databases/mysql.js';
import { queryPostgres } from './databases/postgres.js';
import type { RunQuery } from './databases/query-batch.js';
import { Header } from './header.js';
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
      const first = count + 1;
      yield batch.rows.map((fields, i) => ({ line: first + i, fields }));
      count += batch.rows.length;
    }
  }
  return { header, counts: 'rows', rows };
}
