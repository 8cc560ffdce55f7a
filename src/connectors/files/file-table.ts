import { openCsvTable } from './csv-table.js';
import type { Encoding } from './encodings.js';
import { readBytes } from './file-bytes.js';
import { openJsonLinesTable } from './json-lines-table.js';
import { SourceError } from '../source-error.js';
import { SourceFile } from './source-file.js';
import { openText, type SourceText } from './source-text.js';
import type { Table, TextTable } from '../table.js';

/** How a file is read. */
export interface FileReading {
  /** Null: as its bytes show. */
  readonly encoding?: Encoding | null;
  /** Adds its text to each row. */
  readonly withText?: boolean;
}

/**
 * Opens a file by its first character: a brace is JSON lines, anything else is CSV.
 *
 * @throws SourceError
 */
export async function openFileTable(
  path: string,
  { encoding = null, withText = false }: FileReading = {},
): Promise<Table> {
  const file = await SourceFile.open(path);
  try {
    const text = await openText({ path, bytes: () => readBytes(file) }, encoding);
    const table = await tableOf(text, withText);
    return {
      header: table.header,
      counts: 'lines',
      notices: text.notices,
      rows: () => table.rows(),
      sha256: () => file.sha256(),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
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
