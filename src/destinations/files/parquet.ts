import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { ColumnValue } from '../../consent/record/columns.js';
import type { RowColumn } from '../row-columns.js';
import type { RowFormat } from './row-file.js';

/** Rows that readers take in at once, and that are in memory meanwhile: about 20 MB. */
const GROUP_ROWS = 10_000;

/** Snappy-compressed; times are in microseconds in UTC, and JSON is of that type. */
export function parquet(columns: readonly RowColumn[]): RowFormat {
  const writer = new ByteWriter();
  const file = new ParquetWriter({
    writer,
    schema: [{ name: 'consent', num_children: columns.length }, ...columns.map(elementOf)],
    createdBy: 'consentry',
  });
  let group: unknown[][] = columns.map(() => []);
  let size = 0;

  const writeGroup = (): void => {
    if (size === 0) return;
    void file.write({
      columnData: columns.map(({ name }, i) => ({ name, data: group[i] ?? [] })),
      rowGroupSize: size,
    });
    group = columns.map(() => []);
    size = 0;
  };
  /** What was written since; the writer's buffer is used again. */
  const taken = (): Uint8Array => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };

  return {
    rows(rows) {
      for (const row of rows) {
        row.forEach((value, i) => group[i]?.push(valueOf(columns[i]?.type, value)));
        if (++size === GROUP_ROWS) writeGroup();
      }
      return taken();
    },
    end() {
      writeGroup();
      void file.finish();
      return taken();
    },
  };
}

function elementOf({ name, type, nullable }: RowColumn): SchemaElement {
  const shared = { name, repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED' } as const;
  switch (type) {
    case 'boolean':
      return { ...shared, type: 'BOOLEAN' };
    case 'timestamp':
      return {
        ...shared,
        type: 'INT64',
        converted_type: 'TIMESTAMP_MICROS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      };
    case 'json':
      return { ...shared, type: 'BYTE_ARRAY', converted_type: 'JSON' };
    case 'text':
    case 'key':
      return { ...shared, type: 'BYTE_ARRAY', converted_type: 'UTF8' };
  }
}

function valueOf(type: RowColumn['type'] | undefined, value: ColumnValue): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'json') return JSON.parse(value);
  if (type !== 'timestamp') return value;
  // Of `2026-01-02T03:04:05.000006Z`. Until the year 2255, microseconds fit into a number exactly.
  return Date.parse(`${value.slice(0, 19)}Z`) * 1_000 + Number(value.slice(20, 26));
}
