import { isDatabaseUrl } from './databases/database-url.js';
import type { Encoding } from './files/encodings.js';
import { openFileTable } from './files/file-table.js';
import { SourceError } from './source-error.js';
import type { Table } from './table.js';

export interface OriginalLine {
  /** Line where the record begins. */
  readonly line: number;
  /** The record as in the file, which may span several lines, without its last line end. */
  readonly text: string;
}

/**
 * The text of some records of a file, in order, for a report that shows what was refused. A
 * database has no lines, so nothing is yielded for it.
 *
 * @param lines line numbers as in intents
 * @param sha256 of the file that the intents were read from
 * @param encoding as the run was given it; null if it was found
 * @throws SourceError if the file can no longer be read, or has changed
 */
export async function* originalLines(
  location: string,
  lines: ReadonlySet<number>,
  sha256: string,
  encoding: Encoding | null = null,
): AsyncGenerator<OriginalLine, void, undefined> {
  if (isDatabaseUrl(location) || lines.size === 0) return;
  const table = await openFileTable(location, { encoding, withText: true });
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
    'It is no longer the file that was imported.',
    'Restore that file, and write the report again.',
  );
}
