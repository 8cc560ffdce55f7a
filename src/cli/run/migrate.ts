import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Consentry } from '../../starter/consentry.js';
import type { StartedMigration } from '../../starter/migrations/start.js';
import type { Connected } from '../../starter/connect.js';
import type { FullRequest } from '../../starter/migrations/request/schema.js';
import { timingOf } from '../../starter/migrations/request/timing-settings.js';
import { UsageError } from '../ended.js';
import { followToEnd } from './follow.js';
import { startRun } from './start-run.js';
import { requireWritable } from '../report/private-file.js';
import { ProgressView } from '../terminal/progress-view.js';
import { rejectsPath } from '../report/rejects.js';
import { vanishedPath } from '../report/vanished.js';
import { startedAloneWords } from '../render/next-steps.js';
import type { FirstRows } from '../render/plan.js';
import { counted } from '../render/quantities.js';
import { Output, type Terminal } from '../terminal/terminal.js';

/** Flags for the output of a run; they are not settings of it. */
export interface OutputFlags {
  readonly rejects?: string;
  readonly detach?: boolean;
  readonly json?: boolean;
}

/** Reads the source, starts its migration and follows it to its end. */
export async function runMigrate(
  connected: Connected,
  request: FullRequest,
  flags: OutputFlags,
  terminal: Terminal,
): Promise<void> {
  const { file, query } = request;
  const output = new Output(terminal, flags.json ?? false);
  const there = query === null ? await stat(file).catch(() => null) : null;
  // A pipe cannot be read again for the refused lines.
  const source = query !== null || there?.isFIFO() ? null : file;
  const rejects =
    flags.rejects ?? rejectsPath(source ?? (query === null ? basename(file) : 'query'));
  // If the source is missing, the importer reports it.
  const isMissing = source !== null && there === null;
  if (flags.detach !== true && (flags.rejects !== undefined || !isMissing)) {
    await requireWritable(rejects, 'Say where refused rows go with --rejects PATH.');
  }
  const name = source ?? basename(file);
  if (request.since !== null && !isMissing) {
    await requireWritable(
      vanishedPath(name),
      `Put ${name} into a folder where a file of the people who vanished can be written.`,
    );
  }
  const view = new ProgressView(terminal, timingOf(request).confirmWithinMs);
  const begun = await startRun(connected.consentry, request, name, view, output);
  if (begun === null) return;
  const { started, since } = begun;
  const webUi = connected.webUi(started.id);
  output.say(startedWords(started, webUi));
  if (flags.detach) {
    const waitsForApproval = await stillWaits(connected.consentry, started);
    output.result(
      { ...started, since, waitsForApproval, webUi },
      startedAloneWords(started.id, waitsForApproval),
    );
    return;
  }
  const isApproved = request.approvalAbove === null;
  const firstRows = firstRowsOf(request);
  const { encoding } = request;
  const following = { output, view, source, encoding, rejects, isApproved, firstRows, since };
  await followToEnd(connected, started, following);
}

/** @throws UsageError if one flag makes another useless */
export function checkOutput({ rejects, detach }: OutputFlags): void {
  if (rejects === undefined || detach !== true) return;
  throw new UsageError(
    '--rejects is written at the end, but --detach does not wait for the end: leave one out. ' +
      'consentry report ID --csv PATH has every row, also later.',
  );
}

/** Whether a started run waits for approval: one that was running already may wait for an approval that somebody else was asked for. */
export async function stillWaits(
  consentry: Consentry,
  started: StartedMigration,
): Promise<boolean> {
  if (!started.attached) return started.waitsForApproval;
  return (await consentry.migrations.progress(started.id)).phase === 'approval';
}

/** The rows that go first, if the run was asked for any. */
export function firstRowsOf({ pilot, canary }: FullRequest): FirstRows | null {
  if (pilot !== null) return { rows: pilot, thenWaitMs: null };
  return canary && { rows: canary.rows, thenWaitMs: canary.waitMs };
}

/** What was started, or is running already. */
export function startedWords(started: StartedMigration, webUi: string | null): string {
  const { id, accountId, attached, rows, preset } = started;
  const begun = attached
    ? `The same file with the same settings is already running as migration ${id}: nothing new was started.`
    : `Migration ${id} started for account ${accountId}: ${counted(rows, 'row')}, preset ${preset}.`;
  const lines = [begun, ...started.notices.map((notice) => `Note: ${notice}`)];
  return [...lines, ...(webUi === null ? [] : [`Web UI: ${webUi}`])].join('\n');
}
