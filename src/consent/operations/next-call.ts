import type { Operation } from '../../contracts/channels.js';
import type { OpenRow } from '../../ledger/index.js';
import { entriesOf, type Entry } from './entries.js';
import { OPERATIONS } from './index.js';

/**
 * What the next call of a job carries: first the job's own parts, then the memberships that came up
 * in it. Null if nothing is left to send.
 */
export function nextCall(
  operation: Operation,
  rows: readonly OpenRow[],
): { readonly operation: Operation; readonly entries: readonly Entry[] } | null {
  for (const carried of [operation, 'add_to_list'] as const) {
    const asking = rows.map((row) => ({
      ...row,
      parts: row.parts.filter(({ operation }) => operation === carried),
    }));
    const entries = entriesOf(asking).slice(0, OPERATIONS[carried].callSize);
    if (entries.length > 0) return { operation: carried, entries };
  }
  return null;
}
