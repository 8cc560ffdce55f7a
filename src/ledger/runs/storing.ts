import type { RawBuilder } from 'kysely';
import { copyInto } from '../copy.js';
import type { Ledger } from '../database.js';
import { insertMigration, type NewMigration } from './migrations.js';

/** A migration with the same request is already running. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
  constructor(migrationId: string) {
    super(`Migration ${migrationId} was not stored: a running migration has the same request.`);
  }
}

/** The transaction that stores a run, on the one connection that COPY needs. */
export interface Storing {
  readonly run: <T>(query: RawBuilder<T> | RawBuilder<unknown>) => Promise<readonly T[]>;
  /** @param table of the ledger, or `pg_temp.…` */
  readonly copy: (
    table: string,
    columns: readonly string[],
    lines: readonly string[],
  ) => Promise<void>;
  /**
   * Stores a migration, with its run, before its rows.
   *
   * @returns the key of its people
   * @throws AlreadyRunningError
   */
  readonly insertMigration: (migration: NewMigration) => Promise<number>;
}

/** Runs `work` in one transaction: what fails half-way leaves nothing behind. */
export async function inStoring<T>(
  ledger: Ledger,
  work: (storing: Storing) => Promise<T>,
): Promise<T> {
  const client = await ledger.pool.connect();
  try {
    await client.query('begin');
    const result = await work({
      async run<Row>(query: RawBuilder<Row> | RawBuilder<unknown>) {
        const { sql: text, parameters } = query.compile(ledger.db);
        return (await client.query(text, [...parameters])).rows as Row[];
      },
      copy: (table, columns, lines) => copyInto(client, table, columns, lines),
      async insertMigration(migration) {
        for (const insert of insertMigration(ledger.db, migration)) {
          await client.query(insert.sql, [...insert.parameters]).catch((error: unknown) => {
            throw isUniqueViolation(error) ? new AlreadyRunningError(migration.id) : error;
          });
        }
        const { rows: numbers } = await client.query<{ number: number }>(
          'select number from consentry.migration where id = $1',
          [migration.id],
        );
        return numbers[0]!.number;
      },
    });
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}
