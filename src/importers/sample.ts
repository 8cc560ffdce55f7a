import type { Encoding } from '../connectors/files/encodings.js';
import { openTable } from './open-source.js';
import type { Table } from '../connectors/table.js';

export interface Sample {
  /** Those that have a name, and no lists. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The same, of a source that was opened. */
export interface SampleOfSource extends Sample {
  /** As `Table.notices`. */
  readonly notices: readonly string[];
}

/** Enough characters to see what columns hold; a sample is looked at once for each date format. */
const SAMPLE_CHARACTERS = 4_194_304;

/**
 * The named columns and the first well-formed rows of a source, with or without a preset: at least
 * one row, and no more than fit into four million characters.
 *
 * @param encoding of a file; null if its bytes show it
 * @param count most rows
 * @throws SourceError
 */
export async function readSample(
  location: string,
  query: string | null = null,
  encoding: Encoding | null = null,
  count = 500,
): Promise<SampleOfSource> {
  const table = await openTable(location, query, encoding);
  try {
    return { ...(await sampleOf(table, count)), notices: table.notices };
  } finally {
    await table.close();
  }
}

async function sampleOf(table: Table, count: number): Promise<Sample> {
  const named = [...table.header.columns.entries()].filter(
    ([index, column]) => column !== '' && !table.header.isList(index),
  );
  const columns = named.map(([, column]) => column);
  const sample: (readonly string[])[] = [];
  let characters = 0;
  for await (const rows of table.rows()) {
    for (const { fields } of rows) {
      if (fields?.length !== table.header.columns.length) continue;
      const cells = named.map(([place]) => fields[place] ?? '');
      for (const cell of cells) characters += cell.length;
      if (sample.length > 0 && characters > SAMPLE_CHARACTERS) return { columns, rows: sample };
      sample.push(cells);
      if (sample.length === count) return { columns, rows: sample };
    }
  }
  return { columns, rows: sample };
}
