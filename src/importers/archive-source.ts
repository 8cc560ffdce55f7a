import { basename } from 'node:path';
import type { Header } from '../connectors/header.js';
import { SourceError } from '../connectors/source-error.js';
import type { FileTable, OpenFile } from '../connectors/files/file-table.js';
import type { Intent } from '../contracts/intents.js';
import type { ImportedSource } from './imported-source.js';
import { fittingPresets } from './presets/index.js';

const ORDER = { suppress: 0, unsubscribe: 1, subscribe: 2 } as const;

/** Of the files of an archive, suppressions and opt-outs come before consent. By the header alone. */
export function optOutsFirst(header: Header): number {
  const [preset] = fittingPresets(header);
  return ORDER[preset?.operation ?? 'subscribe'];
}

interface Part {
  readonly table: FileTable;
  readonly source: ImportedSource;
}

/**
 * All files of an archive as one source, each with a preset of its own. The lines of its intents are
 * counted on from file to file. A file without rows, such as that of nobody who was cleaned, says nothing.
 *
 * @param open reads one of its files
 * @throws SourceError
 */
export async function archiveSource(
  path: string,
  file: OpenFile,
  open: (table: FileTable) => Promise<ImportedSource>,
): Promise<ImportedSource> {
  const parts: Part[] = [];
  const withoutRows: string[] = [];
  for (const table of file.tables) {
    try {
      parts.push({ table, source: await open(table) });
    } catch (error) {
      if (!(error instanceof SourceError) || error.code !== 'file_without_rows') throw error;
      withoutRows.push(table.name ?? '');
    }
  }
  if (parts.length === 0) throw nobody(path);
  return {
    preset: [...new Set(parts.map(({ source }) => source.preset))].join(' + '),
    name: basename(path),
    columns: [...new Set(parts.flatMap(({ source }) => source.columns))],
    notices: [
      `${path} is read as one source: ${parts.map(described).join(', ')}.`,
      ...(withoutRows.length === 0 ? [] : [`Without rows: ${withoutRows.join(', ')}.`]),
      ...parts.flatMap(({ source }) => source.notices),
    ],
    isUndo: parts.some(({ source }) => source.isUndo),
    intents: { [Symbol.asyncIterator]: () => intentsOf(parts) },
    sha256: () => file.sha256(),
    close: () => file.close(),
  };
}

function described({ table, source }: Part): string {
  return `${table.name} (${source.preset}, from line ${table.linesBefore + 1})`;
}

async function* intentsOf(parts: readonly Part[]): AsyncGenerator<Intent[], void, undefined> {
  for (const { table, source } of parts) {
    for await (const batch of source.intents) {
      yield batch.map((intent) => ({ ...intent, line: intent.line + table.linesBefore }));
    }
  }
}

function nobody(file: string): SourceError {
  return new SourceError(
    'file_without_rows',
    { file },
    'The files of the archive have headers but no rows.',
    'Export it again, or check that it is the right file.',
  );
}
