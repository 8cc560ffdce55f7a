import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { SqlSession, SqlValue } from '../sql/database.js';
import type { SqlType, Table, TableColumn } from '../sql/layout.js';
import { columnList, quoted } from '../sql/statements.js';
import { POSTGRESQL } from './dialect.js';
import { decode } from './values.js';

/** Values stay the server's texts: what they are is known from the statement. */
const AS_TEXT: pg.CustomTypesConfig = { getTypeParser: () => (value: string) => value };

/** A connection of `pg`, in a transaction. */
export class PostgresqlSession implements SqlSession {
  readonly #client: pg.ClientBase;
  readonly #failed: (error: unknown) => Error;

  /** @param failed what to throw for an error of the driver */
  constructor(client: pg.ClientBase, failed: (error: unknown) => Error) {
    this.#client = client;
    this.#failed = failed;
  }

  async query(
    text: string,
    values: readonly (SqlValue | readonly string[])[] = [],
    types: readonly SqlType[] = [],
  ): Promise<SqlValue[][]> {
    let count = 0;
    const rows = await this.#run({
      text: text.replaceAll('?', () => `$${++count}`),
      values: [...values],
      rowMode: 'array',
      types: AS_TEXT,
    });
    return rows.map((row) =>
      row.map((value, i) => (value === null ? null : decode(types[i] ?? 'text', value))),
    );
  }

  async insert(
    table: Table,
    rows: readonly (readonly SqlValue[])[],
    how: 'new' | 'if_absent' = 'new',
  ): Promise<void> {
    if (rows.length === 0) return;
    const columns = table.columns.filter(({ type }) => type !== 'counter');
    const given = { ...table, columns };
    const into = `${quoted(POSTGRESQL, table)} (${columnList(POSTGRESQL, given)})`;
    if (how === 'new') return this.#copy(into, rows);
    await this.#run({
      text: `insert into ${into} select ${columnList(POSTGRESQL, given)}
       from ${recordset(columns)} on conflict do nothing`,
      values: [jsonOf(columns, rows)],
    });
  }

  async replace(table: Table, rows: readonly (readonly SqlValue[])[]): Promise<void> {
    if (rows.length === 0) return;
    const { columns, keyColumns } = table;
    const sets = columns.slice(keyColumns).map(({ name }) => `${quote(name)} = v.${quote(name)}`);
    const isSame = columns
      .slice(0, keyColumns)
      .map(({ name }) => `t.${quote(name)} = v.${quote(name)}`);
    await this.#run({
      text: `update ${quoted(POSTGRESQL, table)} t set ${sets.join(', ')}
       from ${recordset(table.columns)} where ${isSame.join(' and ')}`,
      values: [jsonOf(table.columns, rows)],
    });
  }

  async #copy(into: string, rows: readonly (readonly SqlValue[])[]): Promise<void> {
    try {
      const stream = this.#client.query(copyFrom(`copy ${into} from stdin`));
      await pipeline(Readable.from([rows.map(copyLine).join('')]), stream);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async #run(query: pg.QueryConfig | pg.QueryArrayConfig): Promise<(string | null)[][]> {
    try {
      return (await this.#client.query<(string | null)[]>(query)).rows;
    } catch (error) {
      throw this.#failed(error);
    }
  }
}

const quote = (name: string): string => POSTGRESQL.quote(name);

/** One line of COPY's text format (PostgreSQL manual, "COPY", File Formats). */
function copyLine(values: readonly SqlValue[]): string {
  return `${values.map(copyValue).join('\t')}\n`;
}

const ESCAPED = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

function copyValue(value: SqlValue): string {
  if (value === null) return '\\N';
  if (typeof value !== 'string') return String(value);
  return ESCAPED.test(value)
    ? value.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character)
    : value;
}

/** One value for all rows: the server takes them apart faster than thousands of values. */
function recordset(columns: readonly TableColumn[]): string {
  const types = columns.map(({ name, type }) => `${quote(name)} ${POSTGRESQL.typeOf(type)}`);
  return `json_to_recordset($1) as v (${types.join(', ')})`;
}

/** Nulls are left out, which the server takes for null. */
function jsonOf(columns: readonly TableColumn[], rows: readonly (readonly SqlValue[])[]): string {
  const keys = columns.map(({ name }) => `${JSON.stringify(name)}:`);
  const texts = rows.map((row) => {
    const members: string[] = [];
    row.forEach((value, i) => {
      if (value === null) return;
      const isJson = columns[i]?.type === 'json';
      members.push(`${keys[i]}${isJson ? String(value) : JSON.stringify(value)}`);
    });
    return `{${members.join(',')}}`;
  });
  return `[${texts.join(',')}]`;
}
