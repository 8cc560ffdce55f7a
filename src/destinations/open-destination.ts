import { parseDatabaseUrl } from '../connectors/databases/database-url.js';
import { SourceError } from '../connectors/source-error.js';
import { DestinationError, type Destination, type DestinationTables } from './destination.js';
import { MysqlDatabase } from './mysql/mysql.js';
import { PostgresqlDatabase } from './postgresql/postgresql.js';
import type { SqlDatabase } from './sql/database.js';
import { layoutOf } from './sql/layout.js';
import { SqlDestination } from './sql/sql-destination.js';

/**
 * The destination at a database URL. Connects when it is first used; close it when done.
 *
 * @param url `postgres://user:password@host:5432/database`, or the same with `mysql` or `mariadb`
 * @throws DestinationError for a URL or names that cannot be
 */
export function openDestination(url: string, tables: DestinationTables): Destination {
  const database = databaseAt(url);
  const layout = layoutOf(tables, database.shown, database.dialect.longestName);
  return new SqlDestination(database, layout, tables.onDeleted);
}

function databaseAt(url: string): SqlDatabase {
  try {
    return parseDatabaseUrl(url).kind === 'postgres'
      ? new PostgresqlDatabase(url)
      : new MysqlDatabase(url);
  } catch (error) {
    if (error instanceof SourceError) throw new DestinationError(error.message, false);
    throw error;
  }
}
