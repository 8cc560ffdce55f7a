import type { ReportedPart } from '../../ledger/index.js';
import { NOTHING_BEFORE, stateAfter, type ChangeCount } from '../report/change-rows.js';
import { shownEmail } from '../report/part-rows.js';
import { count, counted } from './quantities.js';
import { table } from './table.js';

/** The first changes person by person, and counts of all. */
export function renderChanges(
  first: readonly ReportedPart[],
  counts: readonly ChangeCount[],
): string {
  if (counts.length === 0) return 'Nothing was sent to Klaviyo: nobody was changed.';
  const all = counts.reduce((sum, { rows }) => sum + rows, 0);
  const shown = table(
    [
      { head: 'line', align: 'right' },
      { head: 'person' },
      { head: 'channel' },
      { head: 'before' },
      { head: 'after' },
    ],
    first.map((part) => [
      part.erased ? '' : String(part.line),
      shownEmail(part) ?? part.phoneNumber ?? '',
      part.channel,
      part.consentBefore ?? NOTHING_BEFORE,
      stateAfter(part),
    ]),
  );
  const rest = all - first.length;
  const more = `and ${counted(rest, 'more line')}: --csv and --ndjson have them all`;
  return [shown, ...(rest > 0 ? [more] : []), renderChangeCounts(counts)].join('\n\n');
}

export function renderChangeCounts(counts: readonly ChangeCount[]): string {
  return table(
    [{ head: 'channel' }, { head: 'before' }, { head: 'after' }, { head: 'rows', align: 'right' }],
    counts.map(({ channel, before, after, rows }) => [
      channel,
      before ?? NOTHING_BEFORE,
      after,
      count(rows),
    ]),
  );
}
