import { OPERATIONS } from '../../consent/operations/index.js';
import type { ConsentChannel } from '../../contracts/channels.js';
import { UNDO_COLUMN } from '../../importers/index.js';
import type { ReportedPart } from '../../ledger/index.js';
import type { Row } from './part-rows.js';

/** What an undo file reverses: everything that the run did, or only its additions to the list. */
export type UndoScope = 'all' | 'list';

/** Columns of an undo file: those of the preset `generic`, and a note that no importer reads. */
export function undoColumns(channels: readonly ConsentChannel[], scope: UndoScope): string[] {
  const consents = channels.map((channel) => `${channel}_consent`);
  const reverses = scope === 'list' ? ['list'] : [...consents, 'suppressed', 'list'];
  return ['email', 'phone_number', 'country', ...reverses, UNDO_COLUMN, 'note'];
}

/**
 * The line of an undo file for the parts of one row, which restores the state before the run; null
 * if the run changed none of them. Only what this run sent and read back counts.
 *
 * Consent that the run added is withdrawn. Consent that it withdrew is not restored: only the
 * person can give it again, so the cell stays blank, which asks nothing, and the note says so.
 */
export function undoRow(
  parts: readonly ReportedPart[],
  runId: string,
  scope: UndoScope,
): Row | null {
  const [first] = parts;
  // Nobody is left to undo anything for.
  if (first === undefined || first.erased) return null;
  const cells: Record<string, string> = {};
  const notes: string[] = [];
  for (const part of parts) {
    const { channel, operation, consentBefore, outcome } = part;
    const isDone = outcome === 'confirmed' || outcome === 'list_only';
    if (!part.sent || !isDone) continue;
    if (scope === 'list') {
      // A subscribe adds to the list, too.
      if (OPERATIONS[operation].bringsIn) cells['list'] = 'remove';
      continue;
    }
    const { undo } = OPERATIONS[operation];
    if (undo.column === null) {
      cells[`${channel}_consent`] = '';
      notes.push(`${channel}: ${undo.words}`);
    } else if (undo.column !== 'consent') {
      cells[undo.column] = undo.cell;
    } else if (consentBefore !== 'SUBSCRIBED') {
      cells[`${channel}_consent`] = undo.cell;
    }
  }
  if (Object.keys(cells).length === 0) return null;
  return {
    email: first.email,
    phone_number: first.phoneNumber,
    country: first.country,
    ...cells,
    [UNDO_COLUMN]: runId,
    note: notes.join('; '),
  };
}

/** The lines of an undo file. @param onRow called with what each contains */
export async function* undoRows(
  pages: AsyncIterable<readonly ReportedPart[]>,
  runId: string,
  scope: UndoScope,
  onRow: (row: Row) => void,
): AsyncGenerator<Row> {
  // A page holds whole rows.
  for await (const page of pages) {
    for (const parts of byRow(page)) {
      const row = undoRow(parts, runId, scope);
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
