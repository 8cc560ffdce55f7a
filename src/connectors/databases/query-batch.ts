import type { DatabaseUrl } from './database-url.js';

/** Rows of a result as text; null is blank. The first batch comes even where it has no rows. */
export interface QueryBatch {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Runs one statement in a read-only transaction and gives its rows as they come, so that a result
 * of any size takes the memory of a batch. Times with a zone are given in UTC with their offset.
 * Stopping early closes the connection. Throws `SourceError`.
 */
export type RunQuery = (
  database: DatabaseUrl,
  sql: string,
  batchRows: number,
) => AsyncGenerator<QueryBatch, void, undefined>;
