import { sql, type RawBuilder } from 'kysely';
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
 * Readings, calls and repairs of these rows, in one statement. They are few, since each is about a
 * thousand rows.
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
  const { rows } = await sql<{ readings: ReadingRecord[] } & SentRecord>`
    select ${readingsOf(number, blocks)} as readings,
      ${sentColumns(migrationId, number, blocks)}`.execute(db);
  const found = rows[0];
  if (found === undefined) throw new Error('The state of rows has no row');
  const readings = grouped(
    found.readings.map((reading) => ({
      block: reading.block,
      rows: RowNumbers.parse(reading.rows),
      twoProfiles: RowNumbers.parse(reading.two_profiles),
      ageMs: reading.age_ms,
    })),
  );
  return {
    reading: (rowNumber) => {
      const newest = newestOf(readings, rowNumber, () => true);
      return {
        consentAgeMs: newest?.ageMs ?? null,
        oneProfile: newest?.twoProfiles.has(rowNumber) !== true,
      };
    },
    ...sentStates(found),
  };
}

/** What `sentColumns` selects. */
export interface SentRecord {
  readonly calls: readonly {
    readonly id: string;
    readonly status: SubmissionStatus;
    readonly block: number;
    readonly channel: Channel;
    readonly rows: string;
  }[];
  readonly repaired: readonly string[];
}

/** Columns about the calls of these blocks and the repairs of the migration. */
export const sentColumns = (
  migrationId: string,
  number: number,
  blocks: readonly number[],
): RawBuilder<unknown> => sql`
  (select coalesce(json_agg(json_build_object('id', s.id::text, 'status', s.status,
      'block', c.block, 'channel', c.channel, 'rows', c.rows::text) order by s.id desc), '[]')
    from consentry.carried c
    join consentry.submission s on s.id = c.submission_id
    where c.migration_number = ${number} and c.block = any(${integers(blocks)})) as calls,
  array(select row_number || ' ' || channel from consentry.repair
    where migration_id = ${migrationId} and closed_at is null) as repaired`;

export function sentStates(found: SentRecord): Pick<RowStates, 'lastCall' | 'isBeingRepaired'> {
  const calls = grouped(
    found.calls.map((call) => ({ ...call, rows: RowNumbers.parse(call.rows) })),
  );
  const repaired = new Set(found.repaired);
  return {
    lastCall: (rowNumber, channel) =>
      newestOf(calls, rowNumber, (call) => call.channel === channel) ?? null,
    isBeingRepaired: (rowNumber, channel) =>
      repaired.size > 0 && repaired.has(`${rowNumber} ${channel}`),
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

interface ReadingRecord {
  readonly block: number;
  readonly rows: string;
  readonly two_profiles: string;
  readonly age_ms: number;
}

const readingsOf = (number: number, blocks: readonly number[]): RawBuilder<unknown> => sql`
  (select coalesce(json_agg(json_build_object('block', block, 'rows', rows::text,
      'two_profiles', two_profiles::text,
      'age_ms', (extract(epoch from now() - read_at) * 1000)::float8) order by read_at desc), '[]')
    from consentry.reading
    where migration_number = ${number} and block = any(${integers(blocks)}))`;
