import { bareText } from '../contracts/addresses.js';
import { SourceError } from './source-error.js';

/** A source with more columns that have a name has something else in its header, such as data. */
export const MOST_COLUMNS = 2_000;

/** In `Header.file`: between the path of an archive and the name of a file in it. */
export const WITHIN = ' > ';

const SHOWN_COLUMNS = 50;
const SHOWN_NAME = 100;

/** The columns of one source. Names are compared ignoring case and outer white space. */
export class Header {
  readonly #places = new Map<string, number[]>();

  /** As in the source, without the white space and marks around them. */
  readonly columns: readonly string[];

  constructor(
    readonly file: string,
    private readonly names: readonly string[],
    /** Line of the header; undefined if the columns have no line of their own. */
    readonly line: number | undefined,
    /** Columns of JSON that cannot be read, since they have a list: the first line with one. */
    private readonly lists: ReadonlyMap<string, number> = new Map(),
  ) {
    this.columns = names.map(bareText);
    this.columns.forEach((column, index) => {
      const key = column.toLowerCase();
      const places = this.#places.get(key);
      if (places === undefined) this.#places.set(key, [index]);
      else places.push(index);
    });
  }

  /** Whether these are its columns, in this order. */
  hasExactly(columns: readonly string[]): boolean {
    return (
      columns.length === this.columns.length &&
      columns.every((column, n) => bareText(column) === this.columns[n])
    );
  }

  has(column: string): boolean {
    return this.#places.has(column.toLowerCase());
  }

  /** Whether rows have lists in this column, of which no value is the one that counts. */
  isList(index: number): boolean {
    return this.lists.size > 0 && this.lists.has(this.names[index] ?? '');
  }

  /**
   * Index of a column; null if there is none. Throws `SourceError` if there are two, or it has a list.
   */
  find(column: string): number | null {
    const places = this.#places.get(column.toLowerCase());
    if (places === undefined) return null;
    if (places.length > 1) {
      throw new SourceError(
        'column_twice',
        { file: this.file, line: this.line, column },
        `The column is in the header ${places.length} times.`,
        'Rename or remove all but the one that should be read.',
      );
    }
    const [index = null] = places;
    if (index !== null && this.isList(index)) throw this.#list(index);
    return index;
  }

  #list(index: number): SourceError {
    return new SourceError(
      'json_nested',
      {
        file: this.file,
        line: this.lists.get(this.names[index] ?? ''),
        column: this.columns[index],
      },
      'The value is a list, but a column that is read has one value per row.',
      `Say which one counts, for example the first: jq -c '.${this.columns[index] ?? ''} |= .[0]?' < export.ndjson > flat.ndjson`,
    );
  }

  /** Index of the first of these columns that exists; null if none does. */
  findAny(names: readonly string[]): number | null {
    for (const name of names) {
      const index = this.find(name);
      if (index !== null) return index;
    }
    return null;
  }

  /** Index of a column that the run needs. */
  need(column: string, problem: string, remedy: string): number {
    const index = this.find(column);
    if (index !== null) return index;
    throw new SourceError(
      'column_missing',
      { file: this.file, line: this.line, column },
      `${problem} The source has: ${this.list()}.`,
      remedy,
    );
  }

  /** The columns for messages, shortened to what people read. */
  list(): string {
    const shown = this.columns
      .slice(0, SHOWN_COLUMNS)
      .map((column) => column.slice(0, SHOWN_NAME) || '(unnamed)');
    const more = this.columns.length - shown.length;
    return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  }
}

/** The column names that identify a preset. */
export interface Fingerprint {
  readonly allOf?: readonly string[];
  readonly oneOf?: readonly string[];
  /** One of these as well. */
  readonly andOneOf?: readonly string[];
  /** Names, or prefixes if they end in `*`. */
  readonly noneOf?: readonly string[];
}

export function fits(header: Header, fingerprint: Fingerprint): boolean {
  const { allOf, oneOf, andOneOf, noneOf } = fingerprint;
  return (
    (allOf ?? []).every((column) => header.has(column)) &&
    (oneOf === undefined || oneOf.some((column) => header.has(column))) &&
    (andOneOf === undefined || andOneOf.some((column) => header.has(column))) &&
    !(noneOf ?? []).some((pattern) => hasLike(header, pattern))
  );
}

function hasLike(header: Header, pattern: string): boolean {
  if (!pattern.endsWith('*')) return header.has(pattern);
  const start = pattern.slice(0, -1).toLowerCase();
  return header.columns.some((column) => column.toLowerCase().startsWith(start));
}
