import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import type { TypeCastField } from 'mysql2';
import type { SqlSession, SqlValue } from '../sql/database.js';
import type { SqlType, Table, TableColumn } from '../sql/layout.js';
import { columnList, quoted } from '../sql/statements.js';
import { MYSQL } from './dialect.js';
import { decode, encode } from './values.js';

/** Of the values of one statement. Servers refuse long ones, some from a million bytes on. */
const STATEMENT_LENGTH = 250_000;

/** A connection of `mysql2`. */
export class MysqlSession implements SqlSession {
  readonly #connection: Connection;
  readonly #failed: (error: unknown) => Error;

  /** @param failed what to throw for an error of the driver */
  constructor(connection: Connection, failed: (error: unknown) => Error) {
    this.#connection = connection;
    this.#failed = failed;
  }

  async query(
    text: string,
    values: readonly (SqlValue | readonly string[])[] = [],
    types: readonly SqlType[] = [],
  ): Promise<SqlValue[][]> {
    const rows = await this.#run(text, values);
    if (!Array.isArray(rows)) return [];
    return (rows as unknown as (string | null)[][]).map((row) =>
      row.map((value, i) => (value === null ? null : decode(types[i] ?? 'text', value))),
    );
  }

  async insert(
    table: Table,
    rows: readonly (readonly SqlValue[])[],
    how: 'new' | 'if_absent' = 'new',
  ): Promise<void> {
    const columns = table.columns.filter(({ type }) => type !== 'counter');
    const key = MYSQL.quote(table.columns[0]?.name ?? '');
    await this.#insert(
      { ...table, columns },
      rows,
      how === 'new' ? '' : `on duplicate key update ${key} = ${key}`,
    );
  }

  /** The table has no unique key but its own: `prepare` checks that. */
  async replace(table: Table, rows: readonly (readonly SqlValue[])[]): Promise<void> {
    const sets = table.columns.slice(table.keyColumns).map(({ name }) => {
      const column = MYSQL.quote(name);
      return `${column} = values(${column})`;
    });
    await this.#insert(table, rows, `on duplicate key update ${sets.join(', ')}`);
  }

  async #insert(
    table: Table,
    rows: readonly (readonly SqlValue[])[],
    suffix: string,
  ): Promise<void> {
    const into = `insert into ${quoted(MYSQL, table)} (${columnList(MYSQL, table)}) values ? ${suffix}`;
    for (const part of inParts(table.columns, rows)) await this.#run(into, [part]);
  }

  async #run(
    sql: string,
    values: readonly (SqlValue | readonly string[] | SqlValue[][])[],
  ): Promise<RowDataPacket[] | RowDataPacket[][] | ResultSetHeader> {
    try {
      const [result] = await this.#connection.query<RowDataPacket[] | ResultSetHeader>(
        { sql, rowsAsArray: true, typeCast: asText },
        [...values],
      );
      return result;
    } catch (error) {
      throw this.#failed(error);
    }
  }
}

/** Values stay the server's texts: what they are is known from the statement. */
function asText(field: TypeCastField): string | null {
  return field.string('utf8');
}

function* inParts(
  columns: readonly TableColumn[],
  rows: readonly (readonly SqlValue[])[],
): Generator<SqlValue[][]> {
  let part: SqlValue[][] = [];
  let length = 0;
  for (const row of rows) {
    part.push(row.map((value, i) => encode(columns[i]?.type ?? 'text', value)));
    length += row.reduce<number>((sum, value) => sum + String(value).length + 3, 0);
    if (length < STATEMENT_LENGTH) continue;
    yield part;
    part = [];
    length = 0;
  }
  if (part.length > 0) yield part;
}
