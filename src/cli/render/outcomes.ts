import type { OutcomeCounts, PartCount } from '../../contracts/migration.js';
import { OUTCOMES } from '../../contracts/outcomes.js';
import { count, percent } from './quantities.js';
import { table } from './table.js';

/** Rows by outcome, in the order of precedence, then open rows. */
export function renderOutcomes(outcomes: OutcomeCounts, rows: number): string {
  const settled = settledRows(outcomes);
  const lines = OUTCOMES.flatMap((outcome) => {
    const of = outcomes[outcome] ?? 0;
    return of === 0 ? [] : [[outcome, count(of), percent(of, rows)]];
  });
  if (settled < rows)
    lines.push(['(still open)', count(rows - settled), percent(rows - settled, rows)]);
  lines.push(['all rows', count(rows), '']);
  return table(
    [{ head: 'outcome' }, { head: 'rows', align: 'right' }, { head: 'share', align: 'right' }],
    lines,
  );
}

/** Channels of rows by outcome and reason. */
export function renderParts(parts: readonly PartCount[]): string {
  if (parts.length === 0) return 'Nothing has an outcome yet.';
  return table(
    [
      { head: 'channel' },
      { head: 'outcome' },
      { head: 'reason' },
      { head: 'rows', align: 'right' },
    ],
    parts.map(({ channel, outcome, reason, parts: of }) => [
      channel,
      outcome,
      reason ?? '',
      count(of),
    ]),
  );
}

export function settledRows(outcomes: OutcomeCounts): number {
  return Object.values(outcomes).reduce((sum, rows) => sum + rows, 0);
}
