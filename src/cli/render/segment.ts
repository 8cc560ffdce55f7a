import { bluntWords, type SegmentFound } from '../../contracts/segments.js';
import type { SegmentStatus } from '../../starter/programs/activation/activations.js';
import { count, counted, duration } from './quantities.js';
import { scheduleWords } from './schedule.js';
import { table } from './table.js';

/** Who enters and leaves a segment, in a few lines. */
export function segmentWords(found: SegmentFound): string {
  const { people, before, entering, leaving, missing, kept, changed, triedAgain, isBaseline } =
    found;
  const refused = Object.entries(found.refused).map(
    ([reason, parts]) => `${reason} ${count(parts ?? 0)}`,
  );
  return [
    `${counted(people, 'person', 'people')} in the source, ${count(before)} in the segment before: ` +
      `${count(entering)} enter, ${count(leaving)} leave.`,
    ...(isBaseline && before > 0
      ? ['Its query or its key is another one than before, so nobody leaves in this run.']
      : []),
    ...(missing > 0 ? [`${count(missing)} are missing, and leave if they stay so.`] : []),
    ...(kept > 0
      ? [
          `${count(kept)} have been missing since the segment began anew: they stay until they are back.`,
        ]
      : []),
    ...(changed > 0 ? [`${count(changed)} have another address or number.`] : []),
    ...(triedAgain > 0 ? [`${count(triedAgain)} are tried again.`] : []),
    ...(refused.length > 0 ? [`Not usable in the source: ${refused.join(', ')}.`] : []),
    ...(found.blunt === undefined ? [] : [bluntWords(found.blunt)]),
  ].join('\n');
}

const RUN_COLUMNS = [
  { head: 'run' },
  { head: 'started (UTC)' },
  { head: 'by' },
  ...['people', 'enter', 'leave', 'again'].map((head) => ({ head, align: 'right' as const })),
  { head: 'migration' },
  { head: 'state' },
];

/** A segment with its latest runs. */
export function renderSegmentRuns(status: SegmentStatus): string {
  const { program, accountId, runs, kept, lastSuccessMs, isLate, schedule } = status;
  const head = [
    `${program}: account ${accountId}`,
    [
      lastSuccessMs === null ? 'never succeeded' : `last success ${duration(lastSuccessMs)} ago`,
      ...(isLate ? ['LATE'] : []),
      scheduleWords(schedule),
    ].join('; '),
    ...(kept === 0
      ? []
      : [
          `${counted(kept, 'person', 'people')} missing since the segment began anew. Let them leave: consentry program approve ${program}`,
        ]),
  ].join('\n');
  if (runs.length === 0) return head;
  const rows = runs.map(({ id, startedAt, workflowId, found, migrationId, state }) => [
    workflowId === null ? '-' : id,
    startedAt.toISOString().slice(0, 16).replace('T', ' '),
    workflowId === null ? 'hand' : 'itself',
    ...[found?.people, found?.entering, found?.leaving, found?.triedAgain].map((people) =>
      people === undefined ? '-' : count(people),
    ),
    migrationId ?? '-',
    state.replaceAll('_', ' '),
  ]);
  // A run that waits says it in its reason.
  const told = runs
    .map(({ id, why, found }) => ({ id, words: why ?? wordsOfBlunt(found) }))
    .filter(({ words }) => words !== null)
    .slice(0, 3)
    .map(({ id, words }) => `${id}: ${words ?? ''}`);
  const waits = runs
    .filter(({ state }) => state === 'braked')
    .map(({ id }) =>
      [
        `The run ${id} waits for an answer:`,
        `  let it do that:  consentry program approve ${id}`,
        `  end it:          consentry program reject ${id}`,
      ].join('\n'),
    );
  return [head, table(RUN_COLUMNS, rows), ...told, ...waits].join('\n\n');
}

/** Null unless the run took people out bluntly. */
function wordsOfBlunt(found: SegmentFound | null): string | null {
  const { blunt } = found ?? {};
  return blunt === undefined || blunt.people === 0 ? null : bluntWords(blunt);
}
