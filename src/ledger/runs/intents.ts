import { sql, type RawBuilder } from 'kysely';
import { CHANNELS, type Channel } from '../../contracts/channels.js';
import type { Intent, IntentPart } from '../../contracts/intents.js';
import { copyLine } from '../copy.js';
import type { Ledger } from '../database.js';
import { addRowCounts } from '../jobs/settlements.js';
import { joinMembership, partsOfRow, type People } from '../parts.js';
import type { NewMigration } from './migrations.js';
import { inStoring, type Storing } from './storing.js';

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
  'member_key',
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
  const stored = await inStoring(ledger, async (storing) => {
    const number = await storing.insertMigration(migration);
    const asked = new Set<Channel>();
    let rows = 0;
    for await (const batch of batches) {
      for (const channel of await copyIntents(storing, 'intent', number, rows, batch)) {
        asked.add(channel);
      }
      const refused = refusedParts(rows, batch);
      await storing.copy(
        'settlement',
        SETTLEMENT_COLUMNS,
        refused.map(({ rowNumber, part }) => refusedLine(number, rowNumber, part)),
      );
      rows += batch.length;
      onRows(rows);
    }
    if (storeMore !== null) {
      const more = await storeMore({ number, rows, run: storing.run });
      rows += more.rows;
      for (const channel of more.channels) asked.add(channel);
      onRows(rows);
    }
    const channels = CHANNELS.filter((channel) => asked.has(channel));
    await noteStored(storing, migration.id, { number, channels }, rows);
    return rows;
  });
  await analyzeIntents(ledger);
  return stored;
}

/** Notes how many rows a run has, and for which channels, after the last of them. */
export async function noteStored(
  { run }: Pick<Storing, 'run'>,
  migrationId: string,
  people: People,
  rows: number,
): Promise<void> {
  await run(sql`
    update consentry.migration set rows = ${rows}, channels = ${[...people.channels]}
    where id = ${migrationId}`);
  await run(countRefusedRows(migrationId, people));
}

/**
 * The first queries run before autovacuum does: without statistics the planner would join a
 * million rows with nested loops.
 */
export async function analyzeIntents({ pool }: Ledger): Promise<void> {
  await pool.query('analyze consentry.intent, consentry.settlement');
}

/**
 * Copies intents into a table with the columns of `intent`.
 *
 * @param before rows that are there
 * @returns the channels that they have parts for
 */
export async function copyIntents(
  { copy }: Pick<Storing, 'copy'>,
  table: string,
  number: number,
  before: number,
  batch: readonly Intent[],
): Promise<Channel[]> {
  // Only the columns of what this batch asks for.
  const channels = CHANNELS.filter((channel) =>
    batch.some(({ parts }) => parts.some((part) => part.channel === channel)),
  );
  await copy(
    table,
    [...INTENT_COLUMNS, ...channels.flatMap(columnsOf)],
    batch.map((intent, index) => intentLine(number, before + index + 1, intent, channels)),
  );
  return channels;
}

/** The parts of intents that the importer refused, with the numbers of their rows. */
export function refusedParts(
  before: number,
  batch: readonly Intent[],
): { readonly rowNumber: number; readonly part: IntentPart }[] {
  return batch.flatMap(({ parts }, index) =>
    parts.flatMap((part) =>
      part.rejected === null ? [] : { rowNumber: before + index + 1, part },
    ),
  );
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
    intent.key ?? null,
    ...asked,
  ]);
}

const NOTHING_ASKED = [null, null, null];

/** The settlement of a part that the importer refused, by PostgreSQL's clock. */
function refusedLine(number: number, rowNumber: number, part: IntentPart): string {
  return copyLine([number, rowNumber, part.channel, 'rejected', part.rejected, 'importer', 'now']);
}

/** Counts the rows of which the importer refused every part. */
function countRefusedRows(migrationId: string, people: People): RawBuilder<unknown> {
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
  );
}
