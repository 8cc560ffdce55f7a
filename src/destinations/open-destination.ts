import { parseDatabaseUrl } from '../connectors/databases/database-url.js';
import { SourceError } from '../connectors/source-error.js';
import { DestinationError, type Destination, type DestinationTables } from './destination.js';
import { PostgresqlDatabase } from './postgresql/postgresql.js';
import { layoutOf } from './sql/layout.js';
import { SqlDestination } from './sql/sql-destination.js';

/**
 * The destination at a database URL. Connects when it is first used; close it when done.
 *
 * @param url `postgres://user:password@host:5432/database`
 * @throws DestinationError for a URL or names that cannot be
 */
export function openDestination(url: string, tables: DestinationTables): Destination {
  const database = databaseAt(url);
  const layout = layoutOf(tables, database.shown, database.dialect.longestName);
  return new SqlDestination(database, layout, tables.onDeleted);
}

function databaseAt(url: string): PostgresqlDatabase {
  try {
    const { kind, shown } = parseDatabaseUrl(url);
    if (kind === 'postgres') return new PostgresqlDatabase(url);
    throw new DestinationError(`${shown}: a sync cannot write to this kind of server.`, false);
  } catch (error) {
    if (error instanceof SourceError) throw new DestinationError(error.message, false);
    throw error;
  }
}
