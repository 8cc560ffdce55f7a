import { MAX_RECORD } from './csv-reader.js';
import { Header, MOST_COLUMNS } from '../header.js';
import { flatObject, TooDeep, type FlatObject } from './json-object.js';
import { SourceError } from '../source-error.js';
import type { SourceText } from './source-text.js';
import type { TableRow, TextTable } from '../table.js';

interface Line {
  readonly line: number;
  readonly text: string;
}

/**
 * A text with one JSON object per line. Its columns are the keys of all objects, in order of first
 * appearance, so the text is read once more than others; what is within an object is a column by its
 * path, as in `consent.email.status`. A missing key and null are blank. A line that is not an object
 * is a malformed row. A column that has a list on any line cannot be read. An object that has a
 * column twice, with different values, contradicts itself.
 *
 * @param withText adds its text to each row
 */
export async function openJsonLinesTable(file: SourceText, withText = false): Promise<TextTable> {
  const { places, lists } = await columnsOf(file);
  // A converter that read a byte order mark as text left it in the first key.
  const header = new Header(file.path, [...places.keys()], undefined, lists);
  async function* rows(): AsyncGenerator<readonly TableRow[], void, undefined> {
    for await (const lines of linesOf(file)) {
      yield lines.map(({ line, text }) => {
        const object = objectOn(file.path, { line, text });
        const fields = object === null ? null : fieldsOf(object, places);
        const row = { line, fields, contradicts: object?.contradicts ?? false };
        return withText ? { ...row, text } : row;
      });
    }
  }
  return { header, rows };
}

interface Columns {
  readonly places: ReadonlyMap<string, number>;
  /** Columns that have a list, and the first line with one. */
  readonly lists: ReadonlyMap<string, number>;
}

async function columnsOf(file: SourceText): Promise<Columns> {
  const places = new Map<string, number>();
  const lists = new Map<string, number>();
  for await (const lines of linesOf(file)) {
    for (const { line, text } of lines) {
      const cells = objectOn(file.path, { line, text })?.cells ?? [];
      for (const [path, value] of cells) {
        if (!places.has(path)) places.set(path, places.size);
        if (value === null && !lists.has(path)) lists.set(path, line);
      }
      if (places.size > MOST_COLUMNS) throw tooManyColumns(file.path, line);
    }
  }
  return { places, lists };
}

function objectOn(file: string, { line, text }: Line): FlatObject | null {
  try {
    return flatObject(text);
  } catch (error) {
    throw error instanceof TooDeep ? tooDeep(file, line, error.key) : error;
  }
}

function fieldsOf({ cells }: FlatObject, places: ReadonlyMap<string, number>): readonly string[] {
  const fields = new Array<string>(places.size).fill('');
  for (const [path, value] of cells) {
    const place = places.get(path);
    if (place !== undefined) fields[place] = value ?? '';
  }
  return fields;
}

function tooDeep(file: string, line: number, key: string): SourceError {
  return new SourceError(
    'json_nested',
    { file, line, column: key.slice(0, 100) },
    'Objects are within each other so deep here that their keys are not columns.',
    'Leave out what is not needed: jq -c "{email, consent}" < export.ndjson > people.ndjson',
  );
}

function tooManyColumns(file: string, line: number): SourceError {
  return new SourceError(
    'too_many_columns',
    { file, line },
    `The objects up to here have more than ${MOST_COLUMNS} different keys, so the keys are not columns.`,
    'Use the same keys on each line, and put what differs into the values.',
  );
}

/** The lines that are not blank, in one array for each piece of the file. */
async function* linesOf(file: SourceText): AsyncGenerator<readonly Line[], void, undefined> {
  let rest = '';
  let number = 0;
  for await (const piece of file.pieces()) {
    const parts = (rest + piece).split('\n');
    rest = parts.pop() ?? '';
    const lines: Line[] = [];
    for (const part of parts) {
      number += 1;
      const text = part.trim();
      if (text !== '') lines.push({ line: number, text });
    }
    if (rest.length > MAX_RECORD) throw tooLong(file.path, number + 1);
    yield lines;
  }
  const text = rest.trim();
  if (text !== '') yield [{ line: number + 1, text }];
}

function tooLong(file: string, line: number): SourceError {
  return new SourceError(
    'record_too_long',
    { file, line },
    'This line is longer than a million characters.',
    'Write one JSON object per line: jq -c . < export.json > export.ndjson',
  );
}
