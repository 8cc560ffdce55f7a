import { CsvUnreadable, MAX_RECORD, readCsv, type CsvRecord } from './csv-reader.js';
import { Header, MOST_COLUMNS } from '../header.js';
import { SourceError } from '../source-error.js';
import { changed } from './source-file.js';
import type { SourceText } from './source-text.js';
import type { TextTable } from '../table.js';

const DELIMITERS = [',', ';', '\t'] as const;

/**
 * A CSV text. Its delimiter is the one that a first line `sep=;` names, as Excel writes and reads it;
 * else the one of comma, semicolon and tab that splits the header into most columns, or the comma.
 * Columns without a name, as spreadsheets leave them, do not count towards `MOST_COLUMNS`. Throws
 * `SourceError`.
 *
 * @param withText adds its text to each row
 */
export async function openCsvTable(text: SourceText, withText = false): Promise<TextTable> {
  const { header, layout } = await readHeader(text);
  async function* rows(): AsyncGenerator<readonly CsvRecord[], void, undefined> {
    let beforeHeader = true;
    for await (const records of recordsOf(text, layout, withText)) {
      const [first] = records;
      if (!beforeHeader || first === undefined) {
        yield records;
        continue;
      }
      beforeHeader = false;
      if (!isHeader(first, header)) throw changed(text.path);
      yield records.slice(1);
    }
  }
  return { header, rows };
}

function isHeader({ line, fields }: CsvRecord, header: Header): boolean {
  return line === header.line && fields !== null && header.hasExactly(fields);
}

/** How a text is split into records. */
interface Layout {
  readonly delimiter: string;
  /** Its first line is not the header but names the delimiter. */
  readonly isNamed: boolean;
}

interface Head {
  readonly header: Header;
  readonly layout: Layout;
}

async function readHeader(text: SourceText): Promise<Head> {
  const named = await namedDelimiter(text);
  const layouts =
    named === null
      ? DELIMITERS.map((delimiter) => ({ delimiter, isNamed: false }))
      : [{ delimiter: named, isNamed: true }];
  let best: Head | null = null;
  for (const layout of layouts) {
    const header = await headerWith(text, layout);
    if (header === null) continue;
    if (best === null || header.columns.length > best.header.columns.length) {
      best = { header, layout };
    }
  }
  if (best !== null) {
    refuseTooMany(best.header);
    return best;
  }
  throw new SourceError(
    'layout_unknown',
    { file: text.path, line: 1 },
    'The first line is not a header: its quotes do not match.',
    'The first line has to name the columns.',
  );
}

/** `sep=;`, in quotes or not; other programs that saved the file again added delimiters of their own. */
const NAMED = /^"?sep=([\t -!#-/:-@[-`{-~])"?[,;\t]*\r?$/i;
const LONGEST_NAMED = 64;

/** The delimiter that the first line of a text names; null if it does not. */
async function namedDelimiter(text: SourceText): Promise<string | null> {
  let start = '';
  for await (const piece of text.pieces()) {
    start = (start + piece).replace(/^[\r\n]+/, '').slice(0, LONGEST_NAMED);
    if (start.includes('\n') || start.length === LONGEST_NAMED) break;
  }
  return NAMED.exec(start.split('\n', 1)[0] ?? '')?.[1] ?? null;
}

function refuseTooMany({ file, line, columns }: Header): void {
  const named = columns.filter((column) => column !== '').length;
  if (named <= MOST_COLUMNS) return;
  throw new SourceError(
    'too_many_columns',
    { file, line },
    `The header names ${named} columns, and no more than ${MOST_COLUMNS} are read.`,
    'Check that its first line ends where the header does, or export only the columns that are needed.',
  );
}

/** Null if the first record is malformed. */
async function headerWith(text: SourceText, layout: Layout): Promise<Header | null> {
  for await (const [record] of recordsOf(text, layout, false)) {
    if (record === undefined) continue;
    if (record.fields === null) return null;
    refuseBareReturns(text.path, record.fields);
    return new Header(text.path, record.fields, record.line);
  }
  throw new SourceError(
    'file_empty',
    { file: text.path },
    'The file is empty.',
    'Export it again.',
  );
}

/** The records from the header on. */
async function* recordsOf(
  text: SourceText,
  { delimiter, isNamed }: Layout,
  withText: boolean,
): AsyncGenerator<readonly CsvRecord[], void, undefined> {
  let beforeHeader = isNamed;
  try {
    for await (const records of readCsv(text.pieces(), delimiter, MAX_RECORD, withText)) {
      yield beforeHeader ? records.slice(1) : records;
      if (records.length > 0) beforeHeader = false;
    }
  } catch (error) {
    throw error instanceof CsvUnreadable ? unreadable(text.path, error) : error;
  }
}

/** In words: what is wrong, and what to do. */
const UNREADABLE: Readonly<Record<CsvUnreadable['problem'], readonly [string, string]>> = {
  quote_not_closed: [
    'A quote opens here and is never closed, so everything after it would be one field.',
    'Close it, or double it ("") if it is part of the text.',
  ],
  quotes_mismatched: [
    'From here on, line after line opens a quote that does not close where a field ends.',
    'Export the file again; quotes that are part of the text have to be doubled ("").',
  ],
  record_too_long: [
    'This line is longer than a million bytes.',
    'Check that the file is CSV and that its lines end in a line feed.',
  ],
};

function unreadable(file: string, { problem, line }: CsvUnreadable): SourceError {
  return new SourceError(problem, { file, line }, ...UNREADABLE[problem]);
}

function refuseBareReturns(file: string, columns: readonly string[]): void {
  if (!columns.some((column) => column.includes('\r'))) return;
  throw new SourceError(
    'line_ends_unknown',
    { file, line: 1 },
    'The lines end in a bare carriage return, as old Macintosh files do.',
    `Convert it: tr '\\r' '\\n' < export.csv > export-unix.csv`,
  );
}
