import type { Intent, IntentPart } from '../../contracts/intents.js';
import { copyInto, copyLine } from '../copy.js';
import type { Ledger } from '../database.js';
import { insertMigration, type NewMigration } from './migrations.js';

const INTENT_COLUMNS = [
  'migration_id',
  'row_number',
  'line',
  'email',
  'phone_number',
  'country',
  'raw_email',
  'raw_phone',
  'date_of_birth',
  'push_token',
  'push_platform',
] as const;

const PART_COLUMNS = [
  'migration_id',
  'row_number',
  'channel',
  'operation',
  'consented_at',
  'note',
  'outcome',
  'reason',
  'settled_by',
  'settled_at',
] as const;

/** A migration with the same request is already running. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
  constructor(migrationId: string) {
    super(`Migration ${migrationId} was not stored: a running migration has the same request.`);
  }
}

/**
 * Stores a migration and all its intents by COPY, in one transaction: a source that turns out to
 * be unreadable half-way leaves nothing behind. Parts that the importer refused are settled here.
 *
 * @param batches intents in source order; row numbers count from 1
 * @param onRows called after every batch with the number of rows stored so far
 * @returns the number of rows
 * @throws AlreadyRunningError
 */
export async function storeIntents(
  ledger: Ledger,
  migration: NewMigration,
  batches: AsyncIterable<readonly Intent[]>,
  onRows: (rows: number) => void = () => undefined,
): Promise<number> {
  const client = await ledger.pool.connect();
  try {
    await client.query('begin');
    for (const insert of insertMigration(ledger.db, migration)) {
      await client.query(insert.sql, [...insert.parameters]).catch((error: unknown) => {
        throw isUniqueViolation(error) ? new AlreadyRunningError(migration.id) : error;
      });
    }
    let rows = 0;
    for await (const batch of batches) {
      const numbered = batch.map((intent, index) => ({ intent, rowNumber: rows + index + 1 }));
      await copyInto(
        client,
        'intent',
        INTENT_COLUMNS,
        numbered.map(({ intent, rowNumber }) => intentLine(migration.id, rowNumber, intent)),
      );
      await copyInto(
        client,
        'intent_part',
        PART_COLUMNS,
        numbered.flatMap(({ intent, rowNumber }) =>
          intent.parts.map((part) => partLine(migration.id, rowNumber, part)),
        ),
      );
      rows += batch.length;
      onRows(rows);
    }
    await client.query('commit');
    // The first queries run before autovacuum does: without statistics the planner would join a
    // million rows with nested loops.
    await client.query('analyze consentry.intent, consentry.intent_part');
    return rows;
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

function intentLine(migrationId: string, rowNumber: number, intent: Intent): string {
  return copyLine([
    migrationId,
    rowNumber,
    intent.line,
    intent.email,
    intent.phoneNumber,
    intent.country,
    intent.rawEmail,
    intent.rawPhone,
    intent.dateOfBirth ?? null,
    intent.push?.token ?? null,
    intent.push?.platform ?? null,
  ]);
}

function partLine(migrationId: string, rowNumber: number, part: IntentPart): string {
  const refused = part.rejected !== null;
  return copyLine([
    migrationId,
    rowNumber,
    part.channel,
    part.operation,
    part.consentedAt,
    part.note,
    refused ? 'rejected' : null,
    part.rejected,
    refused ? 'importer' : null,
    // By PostgreSQL's clock.
    refused ? 'now' : null,
  ]);
}
