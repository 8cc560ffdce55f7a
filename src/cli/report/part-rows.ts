import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'csv-stringify';
import type { ReportedPart } from '../../ledger/index.js';

/** A line of a file or a table, by column. */
export type Row = Readonly<Record<string, string | number | null>>;

/** What stands in the place of the address of somebody who was erased from the ledger. */
export const ERASED = '(erased)';

/** The address of a row's person, for people. */
export function shownEmail({
  erased,
  email,
}: Pick<ReportedPart, 'erased' | 'email'>): string | null {
  return erased ? ERASED : email;
}

/** One channel of one row, in the columns of `report --csv` and `--ndjson`. */
export function partRow(part: ReportedPart): Row {
  return {
    line: part.line,
    email: shownEmail(part),
    phone_number: part.phoneNumber,
    channel: part.channel,
    operation: part.operation,
    outcome: part.outcome,
    reason: part.reason,
    settled_by: part.settledBy,
    consent_before: part.consentBefore,
    consent_before_at: timeOf(part.consentBeforeAt),
    consent_after: part.consentAfter,
    consent_after_at: timeOf(part.consentAfterAt),
    read_at: timeOf(part.readAt),
    asked_at: timeOf(part.askedAt),
    settled_at: timeOf(part.settledAt),
    request_id: part.requestId,
  };
}

export const PART_COLUMNS = [
  'line',
  'email',
  'phone_number',
  'channel',
  'operation',
  'outcome',
  'reason',
  'settled_by',
  'consent_before',
  'consent_before_at',
  'consent_after',
  'consent_after_at',
  'read_at',
  'asked_at',
  'settled_at',
  'request_id',
] as const;

export function timeOf(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}

const E_164 = /^\+[1-9]\d{6,14}$/;

/** What spreadsheets read as the beginning of a formula, full-width forms included. */
const FORMULA = /^[=+\-@\t\r\uFF0B\uFF0D\uFF1D\uFF20]/;

/**
 * A cell that no spreadsheet runs as a formula: a value that could be one gets a leading `'`, which
 * the importers remove. A number in E.164 is only a plus sign and digits, so it stays as it is, for
 * programs.
 */
export function safeCell(value: string): string {
  return FORMULA.test(value) && !E_164.test(value) ? `'${value}` : value;
}

/** Writes parts as CSV with a header, in the columns of `partRow`. */
export async function writeCsv(
  parts: AsyncIterable<ReportedPart>,
  columns: readonly string[],
  target: NodeJS.WritableStream,
  end: boolean,
): Promise<void> {
  await writeRowsCsv(mapped(parts, partRow), columns, target, end);
}

/** Writes rows as CSV with a header and without formulas, see `safeCell`. */
export async function writeRowsCsv(
  rows: AsyncIterable<Row>,
  columns: readonly string[],
  target: NodeJS.WritableStream,
  end: boolean,
): Promise<void> {
  const stringifier = stringify({
    header: true,
    columns: [...columns],
    cast: { string: (value) => safeCell(value) },
  });
  await pipeline(Readable.from(rows), stringifier, target, { end });
}

export async function writeNdjson(
  parts: AsyncIterable<ReportedPart>,
  target: NodeJS.WritableStream,
): Promise<void> {
  await writeRowsNdjson(mapped(parts, partRow), target);
}

export async function writeRowsNdjson(
  rows: AsyncIterable<Row>,
  target: NodeJS.WritableStream,
): Promise<void> {
  const lines = mapped(rows, (row) => `${JSON.stringify(row)}\n`);
  await pipeline(Readable.from(lines), target, { end: false });
}

export async function* mapped<From, To>(
  values: AsyncIterable<From>,
  map: (value: From) => To,
): AsyncGenerator<To> {
  for await (const value of values) yield map(value);
}

/** The parts on the pages of a report, one at a time. */
export async function* eachPart(
  pages: AsyncIterable<readonly ReportedPart[]>,
): AsyncGenerator<ReportedPart> {
  for await (const page of pages) yield* page;
}
