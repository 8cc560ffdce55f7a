import { CsvUnreadable, MAX_RECORD, readCsv, type CsvRecord } from './csv-reader.js';
import { Header, MOST_COLUMNS } from '../header.js';
import { SourceError } from '../source-error.js';
import { changed, type SourceFile } from './source-file.js';
import type { Table } from '../table.js';
import { readUtf8 } from './utf8-file.js';

const DELIMITERS = [',', ';', '\t'] as const;

/**
 * A CSV file. Its delimiter is the one of comma, semicolon and tab that splits the header into most
 * columns, else the comma. Columns without a name, as spreadsheets leave them, do not count towards
 * `MOST_COLUMNS`. Throws `SourceError`.
 *
 * @param withText adds its text to each row
 */
export async function openCsvTable(file: SourceFile, withText = false): Promise<Table> {
  const { header, delimiter } = await readHeader(file);
  async function* rows(): AsyncGenerator<readonly CsvRecord[], void, undefined> {
    let beforeHeader = true;
    for await (const records of recordsOf(file, delimiter, withText)) {
      const [first] = records;
      if (!beforeHeader || first === undefined) {
        yield records;
        continue;
      }
      beforeHeader = false;
      if (!isHeader(first, header)) throw changed(file.path);
      yield records.slice(1);
    }
  }
  return { header, counts: 'lines', rows, sha256: () => file.sha256(), close: () => file.close() };
}

function isHeader({ line, fields }: CsvRecord, header: Header): boolean {
  return line === header.line && fields !== null && header.hasExactly(fields);
}

interface FileHead {
  readonly header: Header;
  readonly delimiter: string;
}

async function readHeader(file: SourceFile): Promise<FileHead> {
  let best: FileHead | null = null;
  for (const delimiter of DELIMITERS) {
    const header = await headerWith(file, delimiter);
    if (header === null) continue;
    if (best === null || header.columns.length > best.header.columns.length) {
      best = { header, delimiter };
    }
  }
  if (best !== null) {
    refuseTooMany(best.header);
    return best;
  }
  throw new SourceError(
    'layout_unknown',
    { file: file.path, line: 1 },
    'The first line is not a header: its quotes do not match.',
    'The first line has to name the columns.',
  );
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
async function headerWith(file: SourceFile, delimiter: string): Promise<Header | null> {
  for await (const [record] of recordsOf(file, delimiter, false)) {
    if (record === undefined) continue;
    if (record.fields === null) return null;
    refuseBareReturns(file.path, record.fields);
    return new Header(file.path, record.fields, record.line);
  }
  throw new SourceError(
    'file_empty',
    { file: file.path },
    'The file is empty.',
    'Export it again.',
  );
}

async function* recordsOf(
  file: SourceFile,
  delimiter: string,
  withText: boolean,
): AsyncGenerator<readonly CsvRecord[], void, undefined> {
  try {
    yield* readCsv(readUtf8(file), delimiter, MAX_RECORD, withText);
  } catch (error) {
    throw error instanceof CsvUnreadable ? unreadable(file.path, error) : error;
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
