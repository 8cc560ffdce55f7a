import type { Intent } from '../contracts/intents.js';
import { CsvUnreadable, readCsv, type CsvRecord } from './csv-reader.js';
import { Header } from './header.js';
import { checkOptions, type ImportOptions, type PresetName } from './options.js';
import { recognise } from './presets/index.js';
import type { Preset, RowReader } from './preset.js';
import { RowIntents } from './row-intent.js';
import { SourceError } from './source-error.js';
import { readUtf8 } from './utf8-file.js';

export interface ImportedSource {
  readonly preset: PresetName;
  /** The header as it stands in the file. */
  readonly columns: readonly string[];
  /**
   * The rows in their order, in batches of at most 1,000. Reads the file while it is iterated, and
   * again from its beginning each time. Throws `SourceError` where no further row can be read.
   */
  readonly intents: AsyncIterable<Intent[]>;
}

const BATCH_ROWS = 1_000;
const DELIMITERS = [',', ';', '\t'] as const;

/** Reads a CSV file's header and recognises its layout. Throws `SourceError`. */
export async function openCsv(file: string, options: ImportOptions): Promise<ImportedSource> {
  checkOptions(file, options);
  const { header, delimiter } = await readHeader(file);
  await needRow(header, delimiter);
  const preset = recognise(header, options.preset);
  const readRow = preset.bind(header, options);
  return {
    preset: preset.name,
    columns: header.columns,
    intents: {
      [Symbol.asyncIterator]: () => readIntents(header, delimiter, preset, readRow, options),
    },
  };
}

async function* readIntents(
  header: Header,
  delimiter: string,
  preset: Preset,
  readRow: RowReader,
  options: ImportOptions,
): AsyncGenerator<Intent[], void, undefined> {
  const { file } = header;
  const rows = new RowIntents(file, options, preset.action);
  const width = header.columns.length;
  let batch: Intent[] = [];
  for await (const records of recordsOf(file, delimiter)) {
    for (const record of records) {
      if (record.line === header.line) continue;
      batch.push(
        record.fields?.length === width
          ? rows.read(record.line, readRow(record.fields))
          : rows.malformed(record.line),
      );
      if (batch.length === BATCH_ROWS) {
        yield batch;
        batch = [];
      }
    }
  }
  if (batch.length > 0) yield batch;
}

interface FileHead {
  readonly header: Header;
  readonly delimiter: string;
}

/** Of the known delimiters the one that cuts the header into most columns; the comma where none does. */
async function readHeader(file: string): Promise<FileHead> {
  let best: FileHead | null = null;
  for (const delimiter of DELIMITERS) {
    const header = await headerWith(file, delimiter);
    if (header === null) continue;
    if (best === null || header.columns.length > best.header.columns.length) {
      best = { header, delimiter };
    }
  }
  if (best !== null) return best;
  throw new SourceError(
    'layout_unknown',
    { file, line: 1 },
    'The first line is no header: its quotes do not match.',
    'The first line has to name the columns.',
  );
}

/** Null where the first record is malformed. */
async function headerWith(file: string, delimiter: string): Promise<Header | null> {
  for await (const [record] of recordsOf(file, delimiter)) {
    if (record === undefined) continue;
    if (record.fields === null) return null;
    refuseBareReturns(file, record.fields);
    const columns = record.fields.map((column) => column.trim());
    return new Header(file, columns, record.line);
  }
  throw new SourceError('file_empty', { file }, 'The file is empty.', 'Export it again.');
}

async function needRow({ file, line }: Header, delimiter: string): Promise<void> {
  for await (const records of recordsOf(file, delimiter)) {
    if (records.some((record) => record.line !== line)) return;
  }
  throw new SourceError(
    'file_without_rows',
    { file, line },
    'The file has a header and no rows.',
    'Export it again, or check that it is the right file.',
  );
}

async function* recordsOf(
  file: string,
  delimiter: string,
): AsyncGenerator<readonly CsvRecord[], void, undefined> {
  try {
    yield* readCsv(readUtf8(file), delimiter);
  } catch (error) {
    throw error instanceof CsvUnreadable ? unreadable(file, error) : error;
  }
}

function unreadable(file: string, { problem, line }: CsvUnreadable): SourceError {
  return problem === 'quote_not_closed'
    ? new SourceError(
        problem,
        { file, line },
        'A quote opens here and is never closed, so all that follows would be one field.',
        'Close it, or double it ("") where it is meant as a character.',
      )
    : new SourceError(
        problem,
        { file, line },
        'This line is longer than a million bytes.',
        'Check that the file is CSV and that its lines end in a line feed.',
      );
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
