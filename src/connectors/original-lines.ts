import { isDatabaseUrl } from './databases/database-url.js';
import { openFile, type FileReading, type FileTable } from './files/file-table.js';
import { SourceError } from './source-error.js';

export interface OriginalLine {
  /** Line where the record begins. */
  readonly line: number;
  /** The record as in the file, which may span several lines, without its last line end. */
  readonly text: string;
  /** Of an archive of several files: which of them, and the line there. */
  readonly within: { readonly name: string; readonly line: number } | null;
}

/**
 * The text of some records of a file, in order, for a report that shows what was refused. A
 * database has no lines, so nothing is yielded for it.
 *
 * @param lines line numbers as in intents
 * @param sha256 of the file that the intents were read from
 * @param reading as the run read the file
 * @throws SourceError if the file can no longer be read, or has changed
 */
export async function* originalLines(
  location: string,
  lines: ReadonlySet<number>,
  sha256: string,
  reading: Pick<FileReading, 'encoding' | 'order'> = {},
): AsyncGenerator<OriginalLine, void, undefined> {
  if (isDatabaseUrl(location) || lines.size === 0) return;
  const file = await openFile(location, { ...reading, withText: true });
  try {
    if ((await file.sha256()) !== sha256) throw replaced(location);
    let left = lines.size;
    for (const table of file.tables) {
      for await (const line of textOf(table, lines)) {
        yield line;
        left -= 1;
        if (left === 0) return;
      }
    }
  } finally {
    await file.close();
  }
}

async function* textOf(
  table: FileTable,
  lines: ReadonlySet<number>,
): AsyncGenerator<OriginalLine, void, undefined> {
  const { name, linesBefore } = table;
  for await (const batch of table.rows()) {
    for (const { line, text } of batch) {
      if (text === undefined || !lines.has(linesBefore + line)) continue;
      const within = name === null ? null : { name, line };
      yield { line: linesBefore + line, text, within };
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
