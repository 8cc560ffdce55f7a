import { openCsvTable } from './csv-table.js';
import { openJsonLinesTable } from './json-lines-table.js';
import { SourceError } from '../source-error.js';
import { SourceFile } from './source-file.js';
import type { Table } from '../table.js';
import { readUtf8 } from './utf8-file.js';

/**
 * Opens a file by its first character: a brace is JSON lines, anything else is CSV.
 *
 * @param withText adds its text to each row
 * @throws SourceError
 */
export async function openFileTable(path: string, withText = false): Promise<Table> {
  const file = await SourceFile.open(path);
  try {
    return await tableOf(file, withText);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function tableOf(file: SourceFile, withText: boolean): Promise<Table> {
  const start = await firstText(file);
  if (start.startsWith('{')) return openJsonLinesTable(file, withText);
  if (/^\[\s*[[{\]]/.test(start)) {
    throw new SourceError(
      'json_not_lines',
      { file: file.path },
      'The file is one JSON list, not one JSON object per line.',
      "Convert it: jq -c '.[]' < export.json > export.ndjson",
    );
  }
  return openCsvTable(file, withText);
}

/** The beginning of a file, without leading white space. */
async function firstText(file: SourceFile): Promise<string> {
  for await (const text of readUtf8(file)) {
    const start = text.trimStart();
    if (start !== '') return start;
  }
  return '';
}
