import { openCsvTable } from './csv-table.js';
import { openJsonLinesTable } from './json-lines-table.js';
import { SourceError } from './source-error.js';
import type { Table } from './table.js';
import { readUtf8 } from './utf8-file.js';

/** Opens a file by what it begins with: JSON lines with a brace, anything else is CSV. */
export async function openFileTable(file: string, withText = false): Promise<Table> {
  const start = await firstText(file);
  if (start.startsWith('{')) return openJsonLinesTable(file, withText);
  if (/^\[\s*[[{\]]/.test(start)) {
    throw new SourceError(
      'json_not_lines',
      { file },
      'The file is one JSON list, not one JSON object a line.',
      "Convert it: jq -c '.[]' < export.json > export.ndjson",
    );
  }
  return openCsvTable(file, withText);
}

/** The beginning of a file from its first character on that is no white space. */
async function firstText(file: string): Promise<string> {
  for await (const text of readUtf8(file)) {
    const start = text.trimStart();
    if (start !== '') return start;
  }
  return '';
}
