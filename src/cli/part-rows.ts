import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'csv-stringify';
import type { ReportedPart } from '../ledger/index.js';

/** One channel of one row, in the columns of `report --csv` and `--ndjson`. */
export function partRow(part: ReportedPart): Record<string, string | number | null> {
  return {
    line: part.line,
    email: part.email,
    phone_number: part.phoneNumber,
    channel: part.channel,
    action: part.action,
    outcome: part.outcome,
    reason: part.reason,
    evidence: part.evidence,
    consent_before: part.consentBefore,
    settled_at: part.settledAt?.toISOString() ?? null,
    request_id: part.requestId,
  };
}

export const PART_COLUMNS = [
  'line',
  'email',
  'phone_number',
  'channel',
  'action',
  'outcome',
  'reason',
  'evidence',
  'consent_before',
  'settled_at',
  'request_id',
] as const;

export const REJECT_COLUMNS = ['line', 'email', 'phone_number', 'channel', 'reason'] as const;

/** Writes parts as CSV with a header; cells that a spreadsheet would run as a formula are quoted. */
export async function writeCsv(
  parts: AsyncIterable<ReportedPart>,
  columns: readonly string[],
  target: NodeJS.WritableStream,
  end: boolean,
): Promise<void> {
  const stringifier = stringify({ header: true, columns: [...columns], escape_formulas: true });
  await pipeline(Readable.from(rowsOf(parts)), stringifier, target, { end });
}

export async function writeNdjson(
  parts: AsyncIterable<ReportedPart>,
  target: NodeJS.WritableStream,
): Promise<void> {
  async function* lines(): AsyncGenerator<string> {
    for await (const row of rowsOf(parts)) yield `${JSON.stringify(row)}\n`;
  }
  await pipeline(Readable.from(lines()), target, { end: false });
}

async function* rowsOf(
  parts: AsyncIterable<ReportedPart>,
): AsyncGenerator<Record<string, string | number | null>> {
  for await (const part of parts) yield partRow(part);
}

/** The pages of a report one part at a time. */
export async function* eachPart(
  pages: AsyncIterable<readonly ReportedPart[]>,
): AsyncGenerator<ReportedPart> {
  for await (const page of pages) yield* page;
}
