import { MAX_RECORD } from './csv-reader.js';
import { Header, MOST_COLUMNS } from '../header.js';
import { SourceError } from '../source-error.js';
import type { SourceText } from './source-text.js';
import type { TableRow, TextTable } from '../table.js';

type JsonObject = Readonly<Record<string, unknown>>;

interface Line {
  readonly line: number;
  readonly text: string;
}

/**
 * A text with one JSON object per line. Its columns are the keys of all objects, in order of first
 * appearance, so the text is read once more than others. A missing key and null are blank. A
 * line that is not an object is a malformed row. An object or a list as a value stops the import,
 * since it cannot be a cell. An object that has a key twice, with different values, contradicts
 * itself.
 *
 * @param withText adds its text to each row
 */
export async function openJsonLinesTable(file: SourceText, withText = false): Promise<TextTable> {
  const places = await placesOfKeys(file);
  // A converter that read a byte order mark as text left it in the first key.
  const header = new Header(file.path, [...places.keys()], undefined);
  async function* rows(): AsyncGenerator<readonly TableRow[], void, undefined> {
    for await (const lines of linesOf(file)) {
      yield lines.map(({ line, text }) => {
        const object = readObject(text);
        const fields = object === null ? null : cells(file.path, { line, text }, object, places);
        const row = { line, fields, contradicts: object !== null && hasKeyTwice(text, object) };
        return withText ? { ...row, text } : row;
      });
    }
  }
  return { header, rows };
}

async function placesOfKeys(file: SourceText): Promise<ReadonlyMap<string, number>> {
  const places = new Map<string, number>();
  for await (const lines of linesOf(file)) {
    for (const { line, text } of lines) {
      const object = readObject(text);
      if (object === null) continue;
      for (const key in object) {
        refuseNested(file.path, line, key, object[key]);
        if (!places.has(key)) places.set(key, places.size);
      }
      if (places.size > MOST_COLUMNS) throw tooManyColumns(file.path, line);
    }
  }
  return places;
}

function cells(
  file: string,
  { line, text }: Line,
  object: JsonObject,
  places: ReadonlyMap<string, number>,
): readonly string[] {
  const fields = new Array<string>(places.size).fill('');
  for (const key in object) {
    const value = object[key];
    refuseNested(file, line, key, value);
    const place = places.get(key);
    if (place !== undefined) fields[place] = cell(text, key, value);
  }
  return fields;
}

function cell(text: string, key: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return asWritten(text, key) ?? String(value);
  return typeof value === 'boolean' ? String(value) : '';
}

/** The next member of an object without objects or lists in it, and the comma or brace after it. */
const MEMBER = /\s*("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|[^\s"{}[\],]+)\s*[,}]/y;

/** Whether a key has two different values, of which `JSON.parse` keeps the last. */
function hasKeyTwice(text: string, object: JsonObject): boolean {
  const values = new Map<string, unknown>();
  let members = 0;
  MEMBER.lastIndex = text.indexOf('{') + 1;
  for (let member = MEMBER.exec(text); member !== null; member = MEMBER.exec(text)) {
    members += 1;
    const key = String(JSON.parse(member[1] ?? ''));
    const value: unknown = JSON.parse(member[2] ?? '');
    if (values.has(key) && values.get(key) !== value) return true;
    values.set(key, value);
    if (text[MEMBER.lastIndex - 1] === '}') return false;
  }
  // An object or a list that a later value of the same key hides; or there is no member at all.
  return members > 0 || Object.keys(object).length > 0;
}

/** A phone number in scientific notation has lost digits, which the parsed number does not show. */
function asWritten(text: string, key: string): string | null {
  if (!/\d[eE][+-]?\d/.test(text)) return null;
  const name = JSON.stringify(key).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`${name}\\s*:\\s*(-?[\\d.]+[eE][+-]?\\d+)`).exec(text)?.[1] ?? null;
}

function readObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuseNested(file: string, line: number, key: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  throw new SourceError(
    'json_nested',
    { file, line, column: key },
    `The value is ${Array.isArray(value) ? 'a list' : 'an object'}, but a column has one value per row.`,
    `Flatten it, or turn it into text: jq -c 'map_values(if type == "object" or type == "array" then tojson else . end)' < export.ndjson > flat.ndjson`,
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
