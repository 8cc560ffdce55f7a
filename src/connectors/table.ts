import type { Header } from './header.js';

/** One record of a source; `fields` is null if it cannot be split into its columns. */
export interface TableRow {
  /** Line where the record begins, the first line is 1; for a query the number of the row. */
  readonly line: number;
  readonly fields: readonly string[] | null;
  /** The record has two values for one column; `fields` has the last. */
  readonly contradicts?: boolean;
  /** The record as in the file; only if requested. */
  readonly text?: string;
}

/** The rows of one text. */
export interface TextTable {
  /** Its columns; `header.file` is the source's name in messages. */
  readonly header: Header;
  /** As `Table.rows`. */
  rows(): AsyncGenerator<readonly TableRow[], void, undefined>;
}

/** A source of any kind, as rows of text with named columns. */
export interface Table extends TextTable {
  /** Whether `line` of a row is a line of a file, or the number of a row. */
  readonly counts: 'lines' | 'rows';
  /** What was assumed about the source, as sentences for a person. */
  readonly notices: readonly string[];
  /**
   * The rows in order, in batches of any size; each call starts from the first. Throws
   * `SourceError` if no further row can be read.
   */
  rows(): AsyncGenerator<readonly TableRow[], void, undefined>;
  /**
   * Hexadecimal SHA-256 that identifies what a run reads. For a file it is the hash of its bytes.
   * For a query it is the hash of the SQL and the URL without password and parameters, not of the
   * rows: these would have to be read once more, and a second run of the same query should find the
   * running one.
   */
  sha256(): Promise<string>;
  close(): Promise<void>;
}
