import { sql, type CompiledQuery, type RawBuilder } from 'kysely';
import { CHANNELS, type Channel } from '../../contracts/channels.js';
import type { Intent, IntentPart } from '../../contracts/intents.js';
import { copyInto, copyLine } from '../copy.js';
import type { Ledger, LedgerDb } from '../database.js';
import { addRowCounts } from '../jobs/settlements.js';
import { joinMembership, partsOfRow, type People } from '../parts.js';
import { insertMigration, type NewMigration } from './migrations.js';

/** What a row says of its person, besides when they consented to each channel. */
export const PERSONAL_COLUMNS = [
  'email',
  'phone_number',
  'country',
  'raw_email',
  'raw_phone',
  'date_of_birth',
  'push_token',
  'push_platform',
] as const;

const INTENT_COLUMNS: readonly string[] = [
  'migration_number',
  'row_number',
  'line',
  ...PERSONAL_COLUMNS,
];

const columnsOf = (channel: Channel): string[] =>
  ['operation', 'consented_at', 'note'].map((column) => `${channel}_${column}`);

const SETTLEMENT_COLUMNS = [
  'migration_number',
  'row_number',
  'channel',
  'outcome',
  'reason',
  'settled_by',
  'settled_at',
];

/** A migration with the same request is already running. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
  constructor(migrationId: string) {
    super(`Migration ${migrationId} was not stored: a running migration has the same request.`);
  }
}

/**
 * Stores more rows of a migration, in the transaction that stores those of its source, and whatever
 * must be stored together with them.
 *
 * @returns how many rows it stored, and for which channels
 */
export type StoredWithIntents = (tx: {
  /** The key of the migration's people. */
  readonly number: number;
  /** Rows of the source. */
  readonly rows: number;
  readonly run: <T>(query: RawBuilder<T> | RawBuilder<unknown>) => Promise<readonly T[]>;
}) => Promise<{ readonly rows: number; readonly channels: readonly Channel[] }>;

/**
 * Stores a migration and all its intents by COPY, in one transaction: a source that turns out to
 * be unreadable half-way leaves nothing behind. Parts that the importer refused are settled here.
 *
 * @param batches intents in source order; row numbers count from 1
 * @param onRows called after every batch with the number of rows stored so far
 * @param storeMore called after the last batch
 * @returns the number of rows
 * @throws AlreadyRunningError
 */
export async function storeIntents(
  ledger: Ledger,
  migration: NewMigration,
  batches: AsyncIterable<readonly Intent[]>,
  onRows: (rows: number) => void = () => undefined,
  storeMore: StoredWithIntents | null = null,
): Promise<number> {
  const client = await ledger.pool.connect();
  try {
    await client.query('begin');
    for (const insert of insertMigration(ledger.db, migration)) {
      await client.query(insert.sql, [...insert.parameters]).catch((error: unknown) => {
        throw isUniqueViolation(error) ? new AlreadyRunningError(migration.id) : error;
      });
    }
    const { rows: numbers } = await client.query<{ number: number }>(
      'select number from consentry.migration where id = $1',
      [migration.id],
    );
    const number = numbers[0]!.number;
    const asked = new Set<Channel>();
    let rows = 0;
    for await (const batch of batches) {
      const numbered = batch.map((intent, index) => ({ intent, rowNumber: rows + index + 1 }));
      // Only the columns of what this batch asks for.
      const ofBatch = CHANNELS.filter((channel) =>
        batch.some(({ parts }) => parts.some((part) => part.channel === channel)),
      );
      for (const channel of ofBatch) asked.add(channel);
      await copyInto(
        client,
        'intent',
        [...INTENT_COLUMNS, ...ofBatch.flatMap(columnsOf)],
        numbered.map(({ intent, rowNumber }) => intentLine(number, rowNumber, intent, ofBatch)),
      );
      await copyInto(
        client,
        'settlement',
        SETTLEMENT_COLUMNS,
        numbered.flatMap(({ intent, rowNumber }) =>
          intent.parts.flatMap((part) =>
            part.rejected === null ? [] : refusedLine(number, rowNumber, part),
          ),
        ),
      );
      rows += batch.length;
      onRows(rows);
    }
    if (storeMore !== null) {
      const more = await storeMore({
        number,
        rows,
        run: async <T>(query: RawBuilder<T> | RawBuilder<unknown>) => {
          const { sql: text, parameters } = query.compile(ledger.db);
          return (await client.query(text, [...parameters])).rows as T[];
        },
      });
      rows += more.rows;
      for (const channel of more.channels) asked.add(channel);
      onRows(rows);
    }
    const channels = CHANNELS.filter((channel) => asked.has(channel));
    await client.query('update consentry.migration set rows = $2, channels = $3 where id = $1', [
      migration.id,
      rows,
      channels,
    ]);
    const counted = countRefusedRows(ledger.db, migration.id, { number, channels });
    await client.query(counted.sql, [...counted.parameters]);
    await client.query('commit');
    // The first queries run before autovacuum does: without statistics the planner would join a
    // million rows with nested loops.
    await client.query('analyze consentry.intent, consentry.settlement');
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

function intentLine(
  number: number,
  rowNumber: number,
  intent: Intent,
  channels: readonly Channel[],
): string {
  const asked = channels.flatMap((channel) => {
    const part = intent.parts.find((part) => part.channel === channel);
    return part === undefined ? NOTHING_ASKED : [part.operation, part.consentedAt, part.note];
  });
  return copyLine([
    number,
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
    ...asked,
  ]);
}

const NOTHING_ASKED = [null, null, null];

/** The settlement of a part that the importer refused, by PostgreSQL's clock. */
function refusedLine(number: number, rowNumber: number, part: IntentPart): string {
  return copyLine([number, rowNumber, part.channel, 'rejected', part.rejected, 'importer', 'now']);
}

/** Counts the rows of which the importer refused every part. */
function countRefusedRows(db: LedgerDb, migrationId: string, people: People): CompiledQuery {
  return addRowCounts(
    migrationId,
    sql`
      select s.outcome, count(*) from (
        select migration_number, row_number, min(outcome) as outcome, count(*) as settled
        from consentry.settlement where migration_number = ${people.number}
        group by migration_number, row_number
      ) s
      join consentry.intent i using (migration_number, row_number)
      ${joinMembership(people)}
      where s.settled = ${partsOfRow(people)} group by s.outcome`,
  ).compile(db);
}
