import { SENDING_CHANNELS, specOf, type RecordChannel } from './channels.js';
import {
  columnOf,
  maySendColumn,
  RECORD_COLUMNS,
  STATED_COLUMNS,
  SUPPRESSIONS,
  type ColumnValue,
} from './columns.js';

/** What one reading of Klaviyo states of a profile. */
export interface ConsentRecord {
  /** Klaviyo's id of the profile. */
  readonly profileId: string;
  /**
   * By the name of the column. A column that is absent was not stated: what was known before stays.
   * One that is null was stated to have no value.
   */
  readonly stated: Readonly<Record<string, ColumnValue>>;
}

/** A row of a destination: a value for each of `RECORD_COLUMNS`. */
export type ConsentRow = Readonly<Record<string, ColumnValue>>;

const EMPTY = JSON.parse(
  JSON.stringify(Object.fromEntries(RECORD_COLUMNS.map(({ name }) => [name, null]))),
) as Record<string, ColumnValue>;

/**
 * A row to be filled. An object that gets so many properties one by one becomes a hash table; copies
 * of a parsed one do not, which halves the time and the memory that millions of rows take.
 */
export function emptyRow(): Record<string, ColumnValue> {
  return { ...EMPTY };
}

/**
 * The row of a profile after a reading. Whether something may be sent follows from this reading
 * alone: what Klaviyo no longer states may have ended.
 *
 * @param before the row so far; null if the profile was not known
 */
export function rowAfter(before: ConsentRow | null, { stated }: ConsentRecord): ConsentRow {
  const row = emptyRow();
  for (const { name } of STATED_COLUMNS) {
    const value = stated[name];
    row[name] = value === undefined ? (before?.[name] ?? null) : value;
  }
  for (const channel of SENDING_CHANNELS) row[maySendColumn(channel)] = maySend(stated, channel);
  return row;
}

/**
 * Whether something may be sent on a channel: only if Klaviyo stated everything that it takes. For
 * e-mail, "can receive" says nothing about consent, and suppressions of single lists do not count.
 * A consent with an end counts for nothing, as nothing is read when it ends.
 */
export function maySend(stated: ConsentRecord['stated'], channel: RecordChannel): boolean {
  const { needs } = specOf(channel);
  if (stated[columnOf(channel, 'consent')] !== 'SUBSCRIBED') return false;
  if (stated[columnOf(channel, 'can_receive')] !== true) return false;
  if (needs !== undefined && !isText(stated[needs])) return false;
  // Nobody would notice that it ended: the end of a consent changes nothing at Klaviyo.
  if ((stated[columnOf(channel, 'valid_until')] ?? null) !== null) return false;
  return channel !== 'email_marketing' || stated[SUPPRESSIONS] === '[]';
}

function isText(value: ColumnValue | undefined): boolean {
  return typeof value === 'string' && value !== '';
}

/** Of a profile that is gone: nothing may be sent, and all else stays. */
export function rowOfGone(before: ConsentRow): ConsentRow {
  const row = { ...before };
  for (const channel of SENDING_CHANNELS) row[maySendColumn(channel)] = false;
  return row;
}

/** Of a person who is erased: only that there was a row. */
export function rowOfErased(): ConsentRow {
  return rowOfGone(emptyRow());
}

export function isSameRow(one: ConsentRow, other: ConsentRow): boolean {
  return RECORD_COLUMNS.every(({ name }) => one[name] === other[name]);
}
