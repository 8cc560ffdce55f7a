import type { ColumnType } from '../../consent/record/columns.js';
import { DestinationError, type DestinationTables } from '../destination.js';
import { checkName, columnsOf, refuseTwice } from '../row-columns.js';

/** `key` and `word` are short texts that indexes can hold; `number` counts itself in the history. */
export type SqlType = ColumnType | 'key' | 'word' | 'number' | 'counter';

export interface TableColumn {
  /** As the destination has it. */
  readonly name: string;
  /** As this product calls it. */
  readonly of: string;
  readonly type: SqlType;
  readonly nullable: boolean;
}

export interface Table {
  /** Null: where the server looks for a table without one. */
  readonly schema: string | null;
  readonly name: string;
  /** Those of the key first. */
  readonly columns: readonly TableColumn[];
  /** How many columns the key has. */
  readonly keyColumns: number;
  /** By columns' names as this product calls them. */
  readonly indexes: readonly (readonly string[])[];
}

/** The tables of a destination in a database. */
export interface Layout {
  readonly rows: Table;
  readonly history: Table | null;
  readonly marker: Table;
  readonly view: Pick<Table, 'schema' | 'name'>;
  /** Memberships of lists, with a view of those that have not ended. */
  readonly members: MembersLayout | null;
}

export interface MembersLayout {
  readonly rows: Table;
  readonly view: Pick<Table, 'schema' | 'name'>;
}

const KEY = 'profile_id';

const HISTORY_COLUMNS: readonly Omit<TableColumn, 'name'>[] = [
  { of: 'id', type: 'counter', nullable: false },
  { of: KEY, type: 'key', nullable: false },
  { of: 'channel', type: 'word', nullable: false },
  { of: 'old_value', type: 'text', nullable: true },
  { of: 'new_value', type: 'text', nullable: true },
  { of: 'happened_at', type: 'timestamp', nullable: true },
  { of: 'noticed_at', type: 'timestamp', nullable: false },
  { of: 'noticed_by', type: 'word', nullable: false },
  { of: 'run_id', type: 'word', nullable: false },
];

const MARKER_COLUMNS: readonly Omit<TableColumn, 'name'>[] = [
  { of: 'id', type: 'number', nullable: false },
  { of: 'sync_id', type: 'word', nullable: false },
  { of: 'account_id', type: 'word', nullable: false },
  { of: 'generation', type: 'number', nullable: false },
  { of: 'run_id', type: 'word', nullable: false },
  { of: 'state', type: 'json', nullable: false },
  { of: 'swept_at', type: 'timestamp', nullable: true },
  { of: 'gone_at', type: 'timestamp', nullable: true },
  { of: 'written_at', type: 'timestamp', nullable: false },
];

/**
 * Names, types and indexes of a destination's tables.
 *
 * @param shown the database, for messages
 * @param longest characters that a name may have on the server
 * @throws DestinationError for names that cannot be
 */
export function layoutOf(tables: DestinationTables, shown: string, longest: number): Layout {
  const refuse = (problem: string): never => {
    throw new DestinationError(`${shown}: ${problem}`, false);
  };
  const { schema, name } = tableName(tables.table, refuse);
  const history = tables.history === null ? null : tableName(tables.history, refuse);
  const lists = tables.lists ? tableName(tables.lists, refuse) : null;
  const marker = { schema, name: `${name}_sync` };
  const view = { schema, name: `${name}_current` };
  const listsView = lists && { schema: lists.schema, name: `${lists.name}_current` };
  const { rows: columns, members: memberColumns } = columnsOf(
    tables.columns,
    lists !== null,
    refuse,
  );
  const others = [history, lists, listsView].flatMap((one) => one?.name ?? []);
  refuseTwice([name, marker.name, view.name, ...others], refuse);
  const long = [
    view.name,
    ...others,
    ...[...columns, ...memberColumns].map((column) => column.name),
  ].find((one) => Buffer.byteLength(one) > longest);
  if (long !== undefined)
    refuse(`the name "${long}" has more than ${longest} bytes. Choose a shorter one.`);
  return {
    rows: {
      schema,
      name,
      columns,
      keyColumns: 1,
      indexes: [['email'], ['phone_number'], ['changed_at'], ['merged_into']],
    },
    history:
      history === null
        ? null
        : {
            ...history,
            columns: named(HISTORY_COLUMNS),
            keyColumns: 1,
            indexes: [[KEY, 'noticed_at'], ['noticed_at']],
          },
    marker: { ...marker, columns: named(MARKER_COLUMNS), keyColumns: 1, indexes: [] },
    view,
    members:
      lists === null || listsView === null
        ? null
        : {
            rows: {
              ...lists,
              columns: memberColumns,
              keyColumns: 2,
              indexes: [[KEY], ['left_at', 'list_id']],
            },
            view: listsView,
          },
  };
}

/** The column's name in the destination. */
export function nameOf({ columns }: Table, of: string): string {
  const column = columns.find((one) => one.of === of);
  if (column === undefined) throw new Error(`There is no column ${of}`);
  return column.name;
}

export function tableText({ schema, name }: Pick<Table, 'schema' | 'name'>): string {
  return schema === null ? name : `${schema}.${name}`;
}

function named(columns: readonly Omit<TableColumn, 'name'>[]): TableColumn[] {
  return columns.map((column) => ({ ...column, name: column.of }));
}

type Refuse = (problem: string) => never;

function tableName(text: string, refuse: Refuse): Pick<Table, 'schema' | 'name'> {
  const parts = text.split('.');
  if (parts.length > 2) refuse(`"${text}" is no name of a table. Write table or schema.table.`);
  for (const part of parts) checkName(part, 'table', refuse);
  const [first = '', second] = parts;
  return second === undefined ? { schema: null, name: first } : { schema: first, name: second };
}
