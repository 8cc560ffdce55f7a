import { openTable } from './open-source.js';
import type { Table } from '../connectors/table.js';

export interface Sample {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * The columns and the first well-formed rows of a source, with or without a preset.
 *
 * @throws SourceError
 */
export async function readSample(
  location: string,
  query: string | null = null,
  count = 500,
): Promise<Sample> {
  const table = await openTable(location, query);
  try {
    return await sampleOf(table, count);
  } finally {
    await table.close();
  }
}

async function sampleOf(table: Table, count: number): Promise<Sample> {
  const { columns } = table.header;
  const sample: (readonly string[])[] = [];
  for await (const rows of table.rows()) {
    for (const { fields } of rows) {
      if (fields?.length !== columns.length) continue;
      sample.push(fields);
      if (sample.length === count) return { columns, rows: sample };
    }
  }
  return { columns, rows: sample };
}
