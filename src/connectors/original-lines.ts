import { isDatabaseUrl } from './databases/database-url.js';
import { openFileTable } from './files/file-table.js';
import { SourceError } from './source-error.js';
import type { Table } from './table.js';

export interface OriginalLine {
  /** Line on which the record begins. */
  readonly line: number;
  /** The record as it stands in the file, over as many lines as it takes, without its last line end. */
  readonly text: string;
}

/**
 * The text of some records of a file, in their order, for a report that shows what was refused. A
 * query has no lines: of a database nothing is given.
 *
 * @param lines as intents name them
 * @param sha256 of the file that they were read from
 * @throws SourceError where the file cannot be read any more, or is another one by now
 */
export async function* originalLines(
  location: string,
  lines: ReadonlySet<number>,
  sha256: string,
): AsyncGenerator<OriginalLine, void, undefined> {
  if (isDatabaseUrl(location) || lines.size === 0) return;
  const table = await openFileTable(location, true);
  try {
    if ((await table.sha256()) !== sha256) throw replaced(location);
    yield* textOf(table, lines);
  } finally {
    await table.close();
  }
}

async function* textOf(
  table: Table,
  lines: ReadonlySet<number>,
): AsyncGenerator<OriginalLine, void, undefined> {
  let left = lines.size;
  for await (const rows of table.rows()) {
    for (const { line, text } of rows) {
      if (text === undefined || !lines.has(line)) continue;
      yield { line, text };
      left -= 1;
      if (left === 0) return;
    }
  }
}

function replaced(file: string): SourceError {
  return new SourceError(
    'source_changed',
    { file },
    'It is not the file any more that was imported.',
    'Put the one back that was, and write the report again.',
  );
}
