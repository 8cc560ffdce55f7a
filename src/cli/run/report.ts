import { UsageError } from '../ended.js';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Consentry } from '../../starter/consentry.js';
import { CHANGE_COLUMNS, changeRow, countChanges, sentParts } from '../report/change-rows.js';
import { reportPage } from '../report/html/page.js';
import {
  eachPart,
  mapped,
  PART_COLUMNS,
  partRow,
  writeRowsCsv,
  writeRowsNdjson,
  type Row,
} from '../report/part-rows.js';
import { writePrivateFile } from '../report/private-file.js';
import { renderChangeCounts, renderChanges } from '../render/changes.js';
import { counted } from '../render/quantities.js';
import { renderReport } from '../render/report.js';
import { undoWarning } from '../render/undo.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { undoColumns, undoRows } from '../report/undo.js';
import type { ReportedPart } from '../../ledger/index.js';

export interface ReportFlags {
  /** A path, or true for stdout. */
  readonly csv?: string | true;
  readonly ndjson?: boolean;
  readonly json?: boolean;
  readonly changes?: boolean;
  readonly html?: string;
  readonly undo?: string;
}

/** @throws MigrationNotFoundError */
export async function runReport(
  consentry: Consentry,
  id: string,
  flags: ReportFlags,
  terminal: Terminal,
): Promise<void> {
  const output = new Output(terminal, flags.json ?? false);
  if (flags.html !== undefined) return writePage(consentry, id, flags.html, output);
  if (flags.undo !== undefined) return writeUndo(consentry, id, flags.undo, output);
  if (flags.changes) return showChanges(consentry, id, flags, output);
  const report = await consentry.migrations.report(id);
  const rows = mapped(eachPart(consentry.migrations.parts(id)), partRow);
  if (await writeRows(rows, PART_COLUMNS, flags, output)) return;
  output.result(report, renderReport(report));
}

async function writePage(
  consentry: Consentry,
  id: string,
  path: string,
  output: Output,
): Promise<void> {
  const page = reportPage(await consentry.migrations.reportDetails(id), new Date());
  await writePrivateFile(path, (file) => pipeline(Readable.from([page]), file));
  output.result({ html: path }, `Written: ${path}`);
}

/** @param target a path, or `list` for an undo of the additions to the list alone */
async function writeUndo(
  consentry: Consentry,
  id: string,
  target: string,
  output: Output,
): Promise<void> {
  const { settings, times } = await consentry.migrations.report(id);
  const { moveFrom } = settings;
  if (moveFrom !== null) {
    throw new UsageError(
      `Migration ${id} moved people from list ${moveFrom} to list ${settings.listId ?? ''}: an undo file would take them off ` +
        `both. Move them back: consentry migrate FILE --list ${moveFrom} --move-from ${settings.listId ?? ''}`,
    );
  }
  const scope = target === 'list' ? 'list' : 'all';
  const path = scope === 'list' ? `${id}.undo-list.csv` : target;
  let rows = 0;
  let notGivenBack = 0;
  let unsubscribed = 0;
  const lines = undoRows(consentry.migrations.parts(id), id, scope, (row) => {
    rows += 1;
    if (row['note'] !== '') notGivenBack += 1;
    if (Object.values(row).includes('unsubscribed')) unsubscribed += 1;
  });
  const first = await lines.next();
  if (first.done === true) {
    const none =
      scope === 'list'
        ? 'The run added nobody to a list: nothing was written.'
        : 'The run changed nobody: nothing was written.';
    output.result({ undo: null, rows, notGivenBack, unsubscribed }, none);
    return;
  }
  const columns = undoColumns(settings.channels, scope);
  const all = startingWith(first.value, lines);
  await writePrivateFile(path, (file) => writeRowsCsv(all, columns, file, true));
  const { listId } = settings;
  const flags = [
    ...(scope === 'list' ? [] : [`--channels ${settings.channels.join(',')} --opt-in single`]),
    ...(listId === null ? [] : [`--list ${listId}`]),
  ].join(' ');
  const words = [
    `${counted(rows, 'row')} that the run changed: ${path}`,
    `Undo with: consentry migrate ${path} ${flags}`,
  ];
  if (unsubscribed > 0) words.push(undoWarning(unsubscribed));
  if (notGivenBack > 0) {
    words.push(
      `${counted(notGivenBack, 'row was', 'rows were')} unsubscribed by the run, which only the person can undo: see the column "note".`,
    );
  }
  if (times.finishedAt === null) {
    words.push('The run is still going on: write the file again when it has ended.');
  }
  output.result({ undo: path, rows, notGivenBack, unsubscribed }, words.join('\n'));
}

async function* startingWith<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

const CHANGES_SHOWN = 50;

async function showChanges(
  consentry: Consentry,
  id: string,
  flags: ReportFlags,
  output: Output,
): Promise<void> {
  // Reports an unknown id before anything is written.
  await consentry.migrations.report(id);
  const changed = () => sentParts(eachPart(consentry.migrations.parts(id)));
  const written = await writeRows(mapped(changed(), changeRow), CHANGE_COLUMNS, flags, output);
  const counts = countChanges(await consentry.migrations.transitions(id));
  if (written) {
    if (counts.length > 0) output.note(renderChangeCounts(counts));
    return;
  }
  const first = output.json ? [] : await firstOf(changed(), CHANGES_SHOWN);
  output.result({ id, changes: counts }, renderChanges(first, counts));
}

/** Writes rows in the requested format. @returns false if none was requested */
async function writeRows(
  rows: AsyncIterable<Row>,
  columns: readonly string[],
  { csv, ndjson }: ReportFlags,
  output: Output,
): Promise<boolean> {
  const { stdout } = output.terminal;
  if (typeof csv === 'string') {
    await writePrivateFile(csv, (file) => writeRowsCsv(rows, columns, file, true));
    output.say(`Written: ${csv}`);
  } else if (csv) await writeRowsCsv(rows, columns, stdout, false);
  else if (ndjson) await writeRowsNdjson(rows, stdout);
  else return false;
  return true;
}

async function firstOf(parts: AsyncIterable<ReportedPart>, most: number): Promise<ReportedPart[]> {
  const first: ReportedPart[] = [];
  for await (const part of parts) {
    first.push(part);
    if (first.length === most) break;
  }
  return first;
}
