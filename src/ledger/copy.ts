import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

type CopyValue = string | number | null;

/** One line of COPY's text format (PostgreSQL manual, "COPY", File Formats). */
export function copyLine(values: readonly CopyValue[]): string {
  return `${values.map(copyValue).join('\t')}\n`;
}

function copyValue(value: CopyValue): string {
  if (value === null) return '\\N';
  if (typeof value === 'number') return String(value);
  return value.replace(/[\\\t\n\r]/g, (c) =>
    c === '\\' ? '\\\\' : c === '\t' ? '\\t' : c === '\n' ? '\\n' : '\\r',
  );
}

/** COPYs lines into `table (columns)` on one connection, in its transaction if it has one. */
export async function copyInto(
  client: pg.PoolClient,
  table: string,
  columns: readonly string[],
  lines: readonly string[],
): Promise<void> {
  if (lines.length === 0) return;
  const stream = client.query(
    copyFrom(`copy ${qualified(table)} (${columns.join(', ')}) from stdin`),
  );
  // One chunk of a few hundred kB takes far fewer turns of the event loop than one line at a time.
  await pipeline(Readable.from([lines.join('')]), stream);
}

function qualified(table: string): string {
  return table.includes('.') ? table : `consentry.${table}`;
}
