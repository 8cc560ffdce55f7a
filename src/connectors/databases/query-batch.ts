import type { DatabaseUrl } from './database-url.js';

/** Rows of a result as text; null is blank. The first batch comes even if it has no rows. */
export interface QueryBatch {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Runs one statement in a read-only transaction and yields its rows as they arrive, so that a
 * result of any size needs the memory of one batch. Times with a zone are in UTC with their offset.
 * Stopping early closes the connection. Throws `SourceError`.
 */
export type RunQuery = (
  database: DatabaseUrl,
  sql: string,
  batchRows: number,
) => AsyncGenerator<QueryBatch, void, undefined>;
