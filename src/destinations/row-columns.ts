import {
  RECORD_COLUMNS,
  STATED_COLUMNS,
  type ColumnType,
  type ColumnValue,
} from '../consent/record/columns.js';
import { emptyRow } from '../consent/record/record.js';
import type { StoredMember, StoredRow } from './destination.js';

/** A column of the rows, as a destination has it. `key` is an id. */
export interface RowColumn {
  readonly name: string;
  /** As this product calls it. */
  readonly of: string;
  readonly type: ColumnType | 'key';
  readonly nullable: boolean;
}

const COLUMNS: readonly Omit<RowColumn, 'name'>[] = [
  { of: 'profile_id', type: 'key', nullable: false },
  ...RECORD_COLUMNS.map((column) => ({
    of: column.name,
    type: column.type,
    nullable: STATED_COLUMNS.includes(column),
  })),
  { of: 'first_seen_at', type: 'timestamp', nullable: false },
  { of: 'last_read_at', type: 'timestamp', nullable: false },
  { of: 'changed_at', type: 'timestamp', nullable: false },
  { of: 'deleted_at', type: 'timestamp', nullable: true },
  { of: 'merged_into', type: 'key', nullable: true },
];

const MEMBER_COLUMNS: readonly Omit<RowColumn, 'name'>[] = [
  { of: 'list_id', type: 'key', nullable: false },
  { of: 'profile_id', type: 'key', nullable: false },
  { of: 'list_name', type: 'text', nullable: true },
  { of: 'joined_at', type: 'timestamp', nullable: true },
  { of: 'left_at', type: 'timestamp', nullable: true },
  { of: 'first_seen_at', type: 'timestamp', nullable: false },
  { of: 'last_read_at', type: 'timestamp', nullable: false },
];

/** Other characters would have to be escaped in a way that each driver has its own mistakes with. */
const NAME = /^[\p{L}_][\p{L}\p{N}_$ -]*$/u;

/** Columns of the rows and of list memberships. */
export interface DestinationColumns {
  /** The key first. */
  readonly rows: readonly RowColumn[];
  /** Those of the key first. */
  readonly members: readonly RowColumn[];
}

/**
 * The columns in their order.
 *
 * @param names other names, by the default ones; of columns that both have, for both
 * @param hasLists whether there are memberships
 * @param refuse throws for names that cannot be
 */
export function columnsOf(
  names: Readonly<Record<string, string>>,
  hasLists: boolean,
  refuse: (problem: string) => never,
): DestinationColumns {
  const all = hasLists ? [...COLUMNS, ...MEMBER_COLUMNS] : COLUMNS;
  const unknown = Object.keys(names).filter((name) => !all.some(({ of }) => of === name));
  if (unknown.length > 0) {
    refuse(
      `there is no column ${unknown.join(', ')} to be renamed. Use the names that ` +
        `docs/destinations.md lists, such as email or sms_marketing_consent.`,
    );
  }
  const named = (columns: readonly Omit<RowColumn, 'name'>[]): RowColumn[] => {
    const made = columns.map((column) => ({ ...column, name: names[column.of] ?? column.of }));
    for (const { name } of made) checkName(name, 'column', refuse);
    refuseTwice(
      made.map(({ name }) => name),
      refuse,
    );
    return made;
  };
  return { rows: named(COLUMNS), members: hasLists ? named(MEMBER_COLUMNS) : [] };
}

export function checkName(
  name: string,
  kind: 'table' | 'column',
  refuse: (problem: string) => never,
): void {
  if (NAME.test(name) && name.trimEnd() === name) return;
  refuse(
    `"${name}" cannot be the name of a ${kind}. Use letters, digits, _, $, - and spaces, ` +
      `with a letter or _ at the beginning.`,
  );
}

/** Two names that differ by case only are one on some servers. */
export function refuseTwice(names: readonly string[], refuse: (problem: string) => never): void {
  const lower = names.map((name) => name.toLowerCase());
  const twice = names.find((_, i) => lower.indexOf(lower[i] ?? '') !== i);
  if (twice !== undefined) refuse(`"${twice}" is the name of two things. Give each its own.`);
}

/** The values of a row in the order of the columns. */
export function rowValues(stored: StoredRow): ColumnValue[] {
  return [
    stored.profileId,
    ...RECORD_COLUMNS.map(({ name }) => stored.row[name] ?? null),
    stored.firstSeenAt,
    stored.lastReadAt,
    stored.changedAt,
    stored.deletedAt,
    stored.mergedInto,
  ];
}

/** The row of values in the order of the columns. */
export function storedRow(values: readonly ColumnValue[]): StoredRow {
  const row = emptyRow();
  RECORD_COLUMNS.forEach(({ name }, i) => (row[name] = values[i + 1] ?? null));
  const [firstSeenAt, lastReadAt, changedAt, deletedAt, mergedInto] = values
    .slice(RECORD_COLUMNS.length + 1)
    .map((value) => (value === null ? null : String(value)));
  return {
    profileId: String(values[0]),
    row,
    firstSeenAt: firstSeenAt ?? '',
    lastReadAt: lastReadAt ?? '',
    changedAt: changedAt ?? '',
    deletedAt: deletedAt ?? null,
    mergedInto: mergedInto ?? null,
  };
}

/** The values of a membership in the order of the columns. */
export function memberValues(stored: StoredMember): ColumnValue[] {
  return [
    stored.listId,
    stored.profileId,
    stored.listName,
    stored.joinedAt,
    stored.leftAt,
    stored.firstSeenAt,
    stored.lastReadAt,
  ];
}

/** The membership of values in the order of the columns. */
export function storedMember(values: readonly ColumnValue[]): StoredMember {
  const [listId, profileId, listName, joinedAt, leftAt, firstSeenAt, lastReadAt] = values.map(
    (value) => (value === null ? null : String(value)),
  );
  return {
    listId: listId ?? '',
    profileId: profileId ?? '',
    listName: listName ?? null,
    joinedAt: joinedAt ?? null,
    leftAt: leftAt ?? null,
    firstSeenAt: firstSeenAt ?? '',
    lastReadAt: lastReadAt ?? '',
  };
}
