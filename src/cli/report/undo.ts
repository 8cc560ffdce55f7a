import { OPERATIONS } from '../../consent/operations/index.js';
import type { ConsentChannel } from '../../contracts/channels.js';
import type { ReportedPart } from '../../ledger/index.js';
import type { Row } from './part-rows.js';

/** Columns of an undo file: those of the preset `generic`, and a note that no importer reads. */
export function undoColumns(channels: readonly ConsentChannel[]): string[] {
  const consents = channels.map((channel) => `${channel}_consent`);
  return ['email', 'phone_number', 'country', ...consents, 'note'];
}

/**
 * The line of an undo file for the parts of one row, which restores the state before the run; null
 * if the run changed none of them. Only what this run sent and read back counts.
 *
 * Consent that the run added is withdrawn. Consent that it withdrew is not restored: only the
 * person can give it again, so the cell stays blank, which asks nothing, and the note says so.
 */
export function undoRow(parts: readonly ReportedPart[]): Row | null {
  const [first] = parts;
  if (first === undefined) return null;
  const consents: Record<string, string> = {};
  const notes: string[] = [];
  for (const part of parts) {
    const { channel, operation, consentBefore } = part;
    if (!part.sent || part.outcome !== 'confirmed' || channel === 'list') continue;
    const column = `${channel}_consent`;
    const { undone } = OPERATIONS[operation];
    if (undone !== null) {
      consents[column] = '';
      notes.push(`${channel}: ${undone}; only the person can give the consent again`);
    } else if (consentBefore !== 'SUBSCRIBED') {
      consents[column] = 'unsubscribed';
    }
  }
  if (Object.keys(consents).length === 0) return null;
  return {
    email: first.email,
    phone_number: first.phoneNumber,
    country: first.country,
    ...consents,
    note: notes.join('; '),
  };
}

/** The lines of an undo file. @param onRow called with what each contains */
export async function* undoRows(
  pages: AsyncIterable<readonly ReportedPart[]>,
  onRow: (row: Row) => void,
): AsyncGenerator<Row> {
  // A page holds whole rows.
  for await (const page of pages) {
    for (const parts of byRow(page)) {
      const row = undoRow(parts);
      if (row === null) continue;
      onRow(row);
      yield row;
    }
  }
}

function* byRow(parts: readonly ReportedPart[]): Generator<ReportedPart[]> {
  let row: ReportedPart[] = [];
  for (const part of parts) {
    if (row[0] !== undefined && row[0].rowNumber !== part.rowNumber) {
      yield row;
      row = [];
    }
    row.push(part);
  }
  if (row.length > 0) yield row;
}
