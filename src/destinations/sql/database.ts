import type { ColumnValue } from '../../consent/record/columns.js';
import type { SqlType, Table } from './layout.js';

/** A value of a column in the form of this product, whatever the server's form is. */
export type SqlValue = ColumnValue | number;

/** A connection to a server, in a transaction if it was given for one. */
export interface SqlSession {
  /**
   * Runs a statement. `?` stands for a value, and `anyOf` of the dialect with a `?` for a list.
   *
   * @param types of the columns of the result
   */
  query(
    text: string,
    values?: readonly (SqlValue | readonly string[])[],
    types?: readonly SqlType[],
  ): Promise<SqlValue[][]>;
  /**
   * Adds rows; values are in the order of the table's columns, without a `counter`.
   *
   * @param how `if_absent` leaves a row as it is whose key is there
   */
  insert(
    table: Table,
    rows: readonly (readonly SqlValue[])[],
    how?: 'new' | 'if_absent',
  ): Promise<void>;
  /** Replaces all columns of rows by their key. */
  replace(table: Table, rows: readonly (readonly SqlValue[])[]): Promise<void>;
}

/** What a server has under the name of a table. */
export interface Relation {
  /** `table`, or what else it is: `view`. */
  readonly kind: string;
  readonly columns: readonly RelationColumn[];
  /** Names of the columns of each unique index, among them the primary key. */
  readonly uniques: readonly (readonly string[])[];
}

export interface RelationColumn {
  readonly name: string;
  /** In the words of `typeOf` of the dialect. */
  readonly type: string;
  readonly nullable: boolean;
  /** Whether a row that does not name it gets a value. */
  readonly hasDefault: boolean;
}

export type Right = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

/** What a kind of server says in its own way. */
export interface Dialect {
  /** Bytes that a name may have. */
  readonly longestName: number;
  /** A condition that a column is one of a list, to follow its name. */
  readonly anyOf: string;
  /** A key as it is compared and ordered, by its bytes. */
  byBytes(column: string): string;
  /** A random number. */
  readonly random: string;
  quote(name: string): string;
  /** A time as a value of a statement. */
  time(value: string): string;
  /** The type of a column, as the server shows it. */
  typeOf(type: SqlType): string;
  /** Statements that create a table with its indexes. */
  createTable(table: Table): readonly string[];
}

/** A database server that a destination is on. Its operations throw `DestinationError`. */
export interface SqlDatabase {
  readonly dialect: Dialect;
  /** For messages, without a password. */
  readonly shown: string;
  /** Reads only. */
  use<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  /**
   * All or nothing.
   *
   * @param how `snapshot` reads only, all of it as it is at the beginning
   */
  transaction<T>(how: 'write' | 'snapshot', work: (session: SqlSession) => Promise<T>): Promise<T>;
  /** One process at a time for a name, and as much of it in a transaction as the server can. */
  alone<T>(name: string, work: (session: SqlSession) => Promise<T>): Promise<T>;
  /** Throws what makes the server unfit as a destination. */
  check(session: SqlSession): Promise<void>;
  /** Null if there is nothing of this name. */
  relation(session: SqlSession, table: Pick<Table, 'schema' | 'name'>): Promise<Relation | null>;
  /** Throws if the user may not create it there, as far as the server tells beforehand. */
  mayCreate(session: SqlSession, table: Pick<Table, 'schema' | 'name'>): Promise<void>;
  /** Which of these rights the user does not have. */
  missingRights(session: SqlSession, table: Table, rights: readonly Right[]): Promise<Right[]>;
  close(): Promise<void>;
}
