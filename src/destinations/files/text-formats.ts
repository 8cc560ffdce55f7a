import { stringify } from 'csv-stringify/sync';
import type { ColumnValue } from '../../consent/record/columns.js';
import type { RowColumn } from '../row-columns.js';
import type { RowFormat } from './row-file.js';

/** One JSON object a line, with every column; JSON columns are JSON in it. */
export function ndjson(columns: readonly RowColumn[]): RowFormat {
  const keys = columns.map(({ name }) => JSON.stringify(name));
  const member = (value: ColumnValue, i: number): string =>
    `${keys[i]}:${columns[i]?.type === 'json' && value !== null ? String(value) : JSON.stringify(value)}`;
  return {
    rows: (rows) => rows.map((row) => `{${row.map(member).join(',')}}\n`).join(''),
    end: () => '',
  };
}

/** RFC 4180 in UTF-8. Texts are in quotes, so that an empty one is not null, which is an empty field. */
export function csv(columns: readonly RowColumn[]): RowFormat {
  let header = stringify([columns.map(({ name }) => name)]);
  const withHeader = (text: string): string => {
    const all = header + text;
    header = '';
    return all;
  };
  return {
    rows: (rows) =>
      withHeader(stringify([...rows], { cast: { boolean: String }, quoted_string: true })),
    end: () => withHeader(''),
  };
}
