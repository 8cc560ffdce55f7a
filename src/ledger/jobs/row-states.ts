import { sql } from 'kysely';
import type { Channel } from '../../contracts/channels.js';
import { blockOf } from '../blocks.js';
import type { LedgerDb } from '../database.js';
import { byBlock, integers, RowNumbers } from '../row-numbers.js';
import type { SubmissionStatus } from '../schema/tables.js';

/** A call that carries a part, which Klaviyo has or may have. */
interface Call {
  readonly id: string;
  readonly status: SubmissionStatus;
}

/** What happened to rows so far, besides their outcomes. */
export interface RowStates {
  readonly reading: (rowNumber: number) => {
    /** Milliseconds since the person's consent was read; null if it never was. */
    readonly consentAgeMs: number | null;
    /** Whether both identifiers may go to Klaviyo as one profile. */
    readonly oneProfile: boolean;
  };
  /** The last call that carries the part; null if none does or may. */
  readonly lastCall: (rowNumber: number, channel: Channel) => Call | null;
  readonly isBeingRepaired: (rowNumber: number, channel: Channel) => boolean;
}

/**
 * Readings, calls and repairs of these rows. They are few, since each is about a thousand rows.
 *
 * @param number the key of the migration's people
 */
export async function stateOfRows(
  db: LedgerDb,
  migrationId: string,
  number: number,
  rowNumbers: readonly number[],
): Promise<RowStates> {
  const blocks = [...byBlock(rowNumbers).keys()];
  if (blocks.length === 0) return NOTHING_HAPPENED;
  const [readings, calls, repaired] = await Promise.all([
    readingsOf(db, number, blocks),
    callsOf(db, number, blocks),
    repairsOf(db, migrationId),
  ]);
  return {
    reading: (rowNumber) => {
      const newest = newestOf(readings, rowNumber, () => true);
      return {
        consentAgeMs: newest?.ageMs ?? null,
        oneProfile: newest?.twoProfiles.has(rowNumber) !== true,
      };
    },
    lastCall: (rowNumber, channel) =>
      newestOf(calls, rowNumber, (call) => call.channel === channel) ?? null,
    isBeingRepaired: (rowNumber, channel) => repaired.has(`${rowNumber} ${channel}`),
  };
}

const NOTHING_HAPPENED: RowStates = {
  reading: () => ({ consentAgeMs: null, oneProfile: true }),
  lastCall: () => null,
  isBeingRepaired: () => false,
};

/** By block, the newest first. */
type Newest<T> = ReadonlyMap<number, readonly (T & { readonly rows: RowNumbers })[]>;

function newestOf<T>(all: Newest<T>, rowNumber: number, matches: (one: T) => boolean) {
  return all.get(blockOf(rowNumber))?.find((one) => one.rows.has(rowNumber) && matches(one));
}

function grouped<T extends { readonly block: number }>(all: readonly T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const one of all) {
    const group = groups.get(one.block);
    if (group === undefined) groups.set(one.block, [one]);
    else group.push(one);
  }
  return groups;
}

async function readingsOf(db: LedgerDb, number: number, blocks: readonly number[]) {
  const { rows } = await sql<{
    block: number;
    rows: string;
    two_profiles: string;
    age_ms: number;
  }>`
    select block, rows::text, two_profiles::text,
      (extract(epoch from now() - read_at) * 1000)::float8 as age_ms
    from consentry.reading
    where migration_number = ${number} and block = any(${integers(blocks)})
    order by read_at desc`.execute(db);
  return grouped(
    rows.map((row) => ({
      block: row.block,
      rows: RowNumbers.parse(row.rows),
      twoProfiles: RowNumbers.parse(row.two_profiles),
      ageMs: row.age_ms,
    })),
  );
}

async function callsOf(db: LedgerDb, number: number, blocks: readonly number[]) {
  const { rows } = await sql<{
    id: string;
    status: SubmissionStatus;
    block: number;
    channel: Channel;
    rows: string;
  }>`
    select s.id, s.status, c.block, c.channel, c.rows::text as rows
    from consentry.carried c
    join consentry.submission s on s.id = c.submission_id
    where c.migration_number = ${number} and c.block = any(${integers(blocks)})
    order by s.id desc`.execute(db);
  return grouped(
    rows.map((row) => ({
      id: row.id,
      status: row.status,
      block: row.block,
      channel: row.channel,
      rows: RowNumbers.parse(row.rows),
    })),
  );
}

async function repairsOf(db: LedgerDb, migrationId: string): Promise<Set<string>> {
  const { rows } = await sql<{ row_number: number; channel: Channel }>`
    select row_number, channel from consentry.repair
    where migration_id = ${migrationId} and closed_at is null`.execute(db);
  return new Set(rows.map((row) => `${row.row_number} ${row.channel}`));
}
