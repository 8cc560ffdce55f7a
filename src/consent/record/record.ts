import { byChannel, SENDING_CHANNELS, specOf, type RecordChannel } from './channels.js';
import {
  columnOf,
  maySendColumn,
  RECORD_COLUMNS,
  STATED_COLUMNS,
  SUPPRESSIONS,
  type Column,
  type ColumnValue,
} from './columns.js';

/** What one reading of Klaviyo states of a profile. */
export interface ConsentRecord {
  /** Klaviyo's id of the profile. */
  readonly profileId: string;
  /**
   * By the name of the column. A column that is undefined was not stated: what was known before
   * stays. One that is null was stated to have no value.
   */
  readonly stated: Stated;
}

export type Stated = Readonly<Record<string, ColumnValue | undefined>>;

/** A row of a destination: a value for each of `RECORD_COLUMNS`. */
export type ConsentRow = Readonly<Record<string, ColumnValue>>;

/**
 * An object that gets so many properties one by one becomes a hash table; copies of a parsed one do
 * not, which halves the time and the memory that millions of rows take.
 */
function template(columns: readonly Column[]): Record<string, ColumnValue> {
  const entries = columns.map(({ name }) => [name, null]);
  return JSON.parse(JSON.stringify(Object.fromEntries(entries))) as Record<string, ColumnValue>;
}

const EMPTY = template(RECORD_COLUMNS);

const NOTHING_STATED: Record<string, ColumnValue | undefined> = template(STATED_COLUMNS);
for (const { name } of STATED_COLUMNS) NOTHING_STATED[name] = undefined;

const MAY_SEND = SENDING_CHANNELS.map((channel) => ({ channel, column: maySendColumn(channel) }));

/** A row to be filled. */
export function emptyRow(): Record<string, ColumnValue> {
  return { ...EMPTY };
}

/** To be filled with what Klaviyo states. */
export function nothingStated(): Record<string, ColumnValue | undefined> {
  return { ...NOTHING_STATED };
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
  for (const { channel, column } of MAY_SEND) row[column] = maySend(stated, channel);
  return row;
}

/**
 * Whether something may be sent on a channel: only if Klaviyo stated everything that it takes. For
 * e-mail, "can receive" says nothing about consent, and suppressions of single lists do not count.
 * A consent with an end counts for nothing, as nothing is read when it ends.
 */
export function maySend(stated: Stated, channel: RecordChannel): boolean {
  const { needs } = specOf(channel);
  const { consent, canReceive, validUntil } = DECISIVE[channel];
  if (stated[consent] !== 'SUBSCRIBED') return false;
  if (stated[canReceive] !== true) return false;
  if (needs !== undefined && !isText(stated[needs])) return false;
  // Nobody would notice that it ended: the end of a consent changes nothing at Klaviyo.
  if ((stated[validUntil] ?? null) !== null) return false;
  return channel !== 'email_marketing' || stated[SUPPRESSIONS] === '[]';
}

/** Names of the columns that decide, made once: it is asked of millions of people. */
const DECISIVE = byChannel((channel) => ({
  consent: columnOf(channel, 'consent'),
  canReceive: columnOf(channel, 'can_receive'),
  validUntil: columnOf(channel, 'valid_until'),
}));

function isText(value: ColumnValue | undefined): boolean {
  return typeof value === 'string' && value !== '';
}

/** Of a profile that is gone: nothing may be sent, and all else stays. */
export function rowOfGone(before: ConsentRow): ConsentRow {
  const row = { ...before };
  for (const { column } of MAY_SEND) row[column] = false;
  return row;
}

/** Of a person who is erased: only that there was a row. */
export function rowOfErased(): ConsentRow {
  return rowOfGone(emptyRow());
}

export function isSameRow(one: ConsentRow, other: ConsentRow): boolean {
  return RECORD_COLUMNS.every(({ name }) => one[name] === other[name]);
}
