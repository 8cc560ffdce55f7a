import { openCsvTable } from './csv-table.js';
import type { Encoding } from './encodings.js';
import { isZip, readBytes } from './file-bytes.js';
import { openJsonLinesTable } from './json-lines-table.js';
import type { Header } from '../header.js';
import { SourceError } from '../source-error.js';
import { SourceFile } from './source-file.js';
import { openText, type SourceBytes, type SourceText } from './source-text.js';
import type { Table, TextTable } from '../table.js';
import { openZip } from './zip-archive.js';

/** How a file is read. */
export interface FileReading {
  /** Null: as its bytes show. */
  readonly encoding?: Encoding | null;
  /** Adds its text to each row. */
  readonly withText?: boolean;
  /**
   * Of an archive with several files, those with a lower number come first; then they come as in the
   * archive.
   */
  readonly order?: (header: Header) => number;
}

/** A file, or the files of an archive, that is open. */
export interface OpenFile {
  /** In the order in which they are read; at least one. */
  readonly tables: readonly FileTable[];
  /** Names in an archive that were left out. */
  readonly ignored: readonly string[];
  /** As `Table.sha256`: of the file, or of the whole archive. */
  sha256(): Promise<string>;
  close(): Promise<void>;
}

export interface FileTable extends Table {
  /** Its name in an archive of several; else null. */
  readonly name: string | null;
  /** Lines of the files before it in the archive; 0 outside of one. */
  readonly linesBefore: number;
}

/**
 * Opens a file, or all files with rows of a zip archive.
 *
 * @throws SourceError
 */
export async function openFile(path: string, reading: FileReading = {}): Promise<OpenFile> {
  const file = await SourceFile.open(path);
  try {
    return await openedFile(file, reading);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * The same, of a file that is one table.
 *
 * @throws SourceError for an archive of several, too
 */
export async function openFileTable(path: string, reading: FileReading = {}): Promise<Table> {
  const opened = await openFile(path, reading);
  const [table, ...others] = opened.tables;
  if (table !== undefined && others.length === 0) return table;
  await opened.close();
  throw new SourceError(
    'archive_of_several',
    { file: path },
    `The archive has several files: ${opened.tables.map(({ name }) => name).join(', ')}.`,
    'Unpack it, and give one of them.',
  );
}

async function openedFile(file: SourceFile, reading: FileReading): Promise<OpenFile> {
  const shared = { sha256: () => file.sha256(), close: () => file.close() };
  if (!(await isZip(file))) {
    const { path } = file;
    const { table } = await openedTable({ path, bytes: () => readBytes(file) }, reading);
    const only = { ...shared, ...table, name: null, linesBefore: 0 };
    return { tables: [only], ignored: [], ...shared };
  }
  // The first whole reading: what is unpacked later is of these bytes, or an error.
  await file.sha256();
  const { files, ignored } = await openZip(file);
  const found = [];
  for (const { name, ...bytes } of files) {
    found.push({ name, ...(await openedTable(bytes, reading)) });
  }
  const { order = () => 0 } = reading;
  found.sort((a, b) => order(a.table.header) - order(b.table.header));
  const tables: FileTable[] = [];
  let linesBefore = 0;
  for (const { name, table, text } of found) {
    const rows = () => unchanged(file, table);
    const place = found.length === 1 ? null : name;
    tables.push({ ...shared, ...table, rows, name: place, linesBefore });
    if (found.length > 1) linesBefore += await linesOf(text);
  }
  return { tables, ignored, ...shared };
}

interface OpenedTable {
  readonly table: TextTable & Pick<Table, 'counts' | 'notices'>;
  readonly text: SourceText;
}

async function openedTable(
  bytes: SourceBytes,
  { encoding = null, withText = false }: FileReading,
): Promise<OpenedTable> {
  const text = await openText(bytes, encoding);
  const table = await tableOf(text, withText);
  return { table: { ...table, counts: 'lines', notices: text.notices }, text };
}

/** The archive is not read from its beginning to its end, so its bytes are compared apart. */
async function* unchanged(file: SourceFile, table: TextTable): ReturnType<TextTable['rows']> {
  yield* table.rows();
  for await (const bytes of file.bytes()) void bytes;
}

async function linesOf(text: SourceText): Promise<number> {
  let lines = 1;
  for await (const piece of text.pieces()) {
    for (let at = piece.indexOf('\n'); at !== -1; at = piece.indexOf('\n', at + 1)) lines += 1;
  }
  return lines;
}

async function tableOf(text: SourceText, withText: boolean): Promise<TextTable> {
  const start = await firstText(text);
  if (start.startsWith('{')) return openJsonLinesTable(text, withText);
  if (/^\[\s*[[{\]]/.test(start)) {
    throw new SourceError(
      'json_not_lines',
      { file: text.path },
      'The file is one JSON list, not one JSON object per line.',
      "Convert it: jq -c '.[]' < export.json > export.ndjson",
    );
  }
  return openCsvTable(text, withText);
}

/** The beginning of a text, without leading white space. */
async function firstText(text: SourceText): Promise<string> {
  for await (const piece of text.pieces()) {
    const start = piece.trimStart();
    if (start !== '') return start;
  }
  return '';
}
