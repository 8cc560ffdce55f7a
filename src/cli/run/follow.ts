import { withCode } from '../../contracts/failures.js';
import { setMaxListeners } from 'node:events';
import type { Progress } from '../../contracts/migration.js';
import { MigrationStoppedError } from '../../starter/stopped.js';
import type { Encoding } from '../../connectors/files/encodings.js';
import type { StartedMigration } from '../../starter/migrations/start.js';
import type { Connected } from '../../starter/connect.js';
import type { Report } from '../../starter/migrations/report.js';
import { askForApproval } from './approval.js';
import { Ended, UsageError } from '../ended.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { exitCodeOfStop } from '../failure.js';
import type { ProgressView } from '../terminal/progress-view.js';
import { writeRejects, type Rejects } from '../report/rejects.js';
import { nextSteps } from '../render/next-steps.js';
import { renderPlan, type FirstRows } from '../render/plan.js';
import { counted } from '../render/quantities.js';
import type { Since } from '../render/since.js';
import { renderReport } from '../render/report.js';
import type { Output } from '../terminal/terminal.js';

export interface Following {
  readonly output: Output;
  readonly view: ProgressView;
  /** File that the rows came from; null for a query. */
  readonly source: string | null;
  /** Of that file, if it was given. */
  readonly encoding: Encoding | null;
  /** Where refused rows are written. */
  readonly rejects: string;
  /** Approved beforehand: nobody is asked after the plan. */
  readonly isApproved: boolean;
  readonly firstRows: FirstRows | null;
  /** What changed since the older export; null without one. */
  readonly since: Since | null;
}

/** How a run that was followed has ended. */
export interface EndedRun {
  readonly report: Report;
  /** The same as a document. */
  readonly result: object;
  /** For people; null if a table would add nothing to the note. */
  readonly words: string | null;
  /** Why it stopped; null if it came to its end. */
  readonly note: string | null;
  readonly exitCode: ExitCode;
}

/**
 * Follows a migration from its plan to its end, says how it ended, and writes refused rows.
 *
 * @throws Ended with an exit code, unless it ended well
 */
export async function followToEnd(
  connected: Connected,
  started: StartedMigration,
  following: Following,
): Promise<void> {
  const { result, words, note, exitCode } = await followRun(connected, started, following);
  const { output } = following;
  if (words !== null || output.json) output.result(result, words ?? '');
  if (note !== null) output.note(note);
  if (exitCode !== EXIT.ok) throw new Ended(exitCode);
}

/**
 * The same, without saying how it ended.
 *
 * @throws Ended if the person stops watching
 */
export async function followRun(
  connected: Connected,
  started: StartedMigration,
  following: Following,
): Promise<EndedRun> {
  const { consentry } = connected;
  const { since } = following;
  const { id } = started;
  const stopped = await watchToEnd(connected, started, following);
  const report = await consentry.migrations.report(id);
  const rejects = await refusedRows(connected, report, following);
  const { workflowId } = started;
  const result = { ...report, workflowId, webUi: connected.webUi(id), rejects, since };
  const ended = { report, result };
  if (report.jobs.submitted === 0 && stopped !== null) {
    // The message is enough; a table of rows that were not sent would add nothing.
    const note = [
      `${withCode(stopped.message, stopped.failureType)} Nothing was sent.`,
      ...rejectedWords(rejects),
    ].join('\n');
    return { ...ended, words: null, note, exitCode: exitCodeOfStop(stopped.failureType) };
  }
  const unsent = report.jobs.submitted === 0 ? endsUnsent(report) : null;
  const told = unsent === null ? [renderReport(report)] : [unsent];
  const steps = unsent === null ? nextSteps(report) : [];
  const words =
    report.jobs.submitted > 0
      ? [...told, ...rejectedWords(rejects), ...steps]
      : [...told, ...steps, ...rejectedWords(rejects)];
  return {
    ...ended,
    words: words.join('\n\n'),
    note: stopped === null ? null : withCode(stopped.message, stopped.failureType),
    exitCode:
      stopped !== null ? EXIT.stopped : report.phase === 'cancelled' ? EXIT.cancelled : EXIT.ok,
  };
}

/** @returns why the run stopped; null if it came to its end */
async function watchToEnd(
  { consentry }: Connected,
  { id, attached }: StartedMigration,
  { output, view, isApproved, firstRows }: Following,
): Promise<MigrationStoppedError | null> {
  const detach = new AbortController();
  // Temporal's client adds a listener with every call that waits for the end: a long run has many.
  setMaxListeners(0, detach.signal);
  const onInterrupt = (): void => detach.abort();
  process.once('SIGINT', onInterrupt);
  let asked = false;
  if (!attached) view.showBegun('Checking the account and reading consent from it...');
  try {
    const end = await consentry.migrations.watch(id, {
      everyMs: 500,
      signal: detach.signal,
      onPlan: (plan) => {
        view.stop();
        output.say(`\n${renderPlan(plan, firstRows)}\n`);
      },
      onProgress: async (progress) => {
        // The plan or the cancellation has already been shown.
        if (progress.phase === 'plan' || sentNothing(progress)) return;
        if (progress.phase !== 'approval') return view.show(progress);
        if (asked) return;
        asked = true;
        view.stop();
        const waiting = { id, rows: progress.rows, isApproved, attached };
        await askForApproval(consentry, waiting, output, detach.signal);
      },
    });
    if (end !== null) return null;
  } catch (error) {
    if (error instanceof MigrationStoppedError) return error;
    throw error;
  } finally {
    // Otherwise waiting for the run's end would keep the process alive as long as Temporal answers.
    detach.abort();
    view.stop();
    process.off('SIGINT', onInterrupt);
  }
  output.note(detachedWords(id));
  throw new Ended(EXIT.interrupted);
}

/** The run has ended, so a file that cannot be written is no failure of the run. */
async function refusedRows(
  { consentry }: Connected,
  { id, source: { sha256 } }: Report,
  { output, source, encoding, rejects }: Following,
): Promise<Rejects | null> {
  try {
    const file = source === null ? null : { path: source, sha256, encoding };
    return await writeRejects(() => consentry.migrations.parts(id), rejects, file);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.note(`${error.message} Every row is in: consentry report ${id} --csv PATH`);
    return null;
  }
}

function sentNothing({ phase, jobs }: Progress): boolean {
  return phase === 'planned' || (phase === 'cancelled' && jobs.submitted === 0);
}

/** The message for a run that was not meant to send anything; null for one that had nothing to send. */
function endsUnsent({ id, phase }: Report): string | null {
  if (phase === 'planned') {
    return 'Nothing was sent, as --dry-run asks. The same command without it starts the run.';
  }
  return phase === 'cancelled' ? `Migration ${id} is cancelled. Nothing was sent.` : null;
}

function detachedWords(id: string): string {
  return [
    `Stopped watching. Migration ${id} goes on by itself.`,
    `  see how far it is:  consentry status ${id}`,
    `  cancel it:          consentry cancel ${id}`,
  ].join('\n');
}

function rejectedWords(rejects: Rejects | null): string[] {
  if (rejects === null) return [];
  const { rows, path, withoutOriginals } = rejects;
  return [
    `${counted(rows, 'refusal')} with reasons: ${path}` +
      (withoutOriginals === null ? '' : ` (without the lines themselves: ${withoutOriginals})`),
  ];
}
