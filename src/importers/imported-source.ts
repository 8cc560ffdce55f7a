import type { Intent } from '../contracts/intents.js';

/** A source of consent that is open. */
export interface ImportedSource {
  /** The preset that reads it, or `mapping`; of an archive all of them, with ` + ` between. */
  readonly preset: string;
  /** Its name in reports: the file's name, or the database's URL without its password. */
  readonly name: string;
  /** The header as in the source. */
  readonly columns: readonly string[];
  /** What was assumed about it, as sentences for a person. */
  readonly notices: readonly string[];
  /** It was written by `report --undo`. */
  readonly isUndo: boolean;
  /**
   * The rows in order, in batches of at most 1,000. Each iteration reads the source again from its
   * beginning. Throws `SourceError` if no further row can be read, and at the end if the source has
   * changed since its first reading.
   */
  readonly intents: AsyncIterable<Intent[]>;
  /** As `Table.sha256`. */
  sha256(): Promise<string>;
  /** After this, nothing can be read from it. */
  close(): Promise<void>;
}
