import type { Header } from './header.js';

/** One record of a source; `fields` is null where it cannot be cut into its columns. */
export interface TableRow {
  /** Line on which the record begins, the first line is 1; of a query the number of the row. */
  readonly line: number;
  readonly fields: readonly string[] | null;
  /** Says two things of one column, of which `fields` has the last. */
  readonly contradicts?: boolean;
  /** The record as it stands in the file; only where it was asked for. */
  readonly text?: string;
}

/** A source as rows of text under named columns, whatever it is made of. */
export interface Table {
  /** Its columns; `header.file` is what the source is called in messages. */
  readonly header: Header;
  /** Whether `line` of a row is a line of a file, or the number of a row. */
  readonly counts: 'lines' | 'rows';
  /**
   * The rows in their order, in batches of any size, from the first each time it is called. Throws
   * `SourceError` where no further row can be read.
   */
  rows(): AsyncGenerator<readonly TableRow[], void, undefined>;
  /**
   * SHA-256 by which two runs are known to read the same, in hexadecimal. Of a file it is that of its
   * bytes. Of a query it is that of the URL without password and parameters and of the SQL, not of the
   * rows: they would have to be read once more to know it, and a run that starts while another one of
   * the same query goes on should find that one.
   */
  sha256(): Promise<string>;
  close(): Promise<void>;
}
