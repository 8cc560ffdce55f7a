import type { ConsentChannel } from '../contracts/channels.js';
import type { PresetName } from '../importers/index.js';
import { MigrationStoppedError, type StartedMigration } from '../starter/consentry.js';
import type { Connected } from '../starter/connect.js';
import { timingOf, type MigrationRequest } from '../starter/settings.js';
import { watchMigration } from '../starter/watch.js';
import { askForApproval } from './approval.js';
import { Ended } from './ended.js';
import { EXIT } from './exit-codes.js';
import { exitCodeOfStop } from './failure.js';
import { ProgressView } from './progress-view.js';
import { rejectsPath, writeRejects, type Rejects } from './rejects.js';
import { renderPlan } from './render/plan.js';
import { counted } from './render/quantities.js';
import { renderReport } from './render/report.js';
import { Output, type Terminal } from './terminal.js';

export interface MigrateFlags {
  readonly list?: string;
  readonly channels?: ConsentChannel[];
  readonly optIn?: 'single' | 'double';
  readonly historical?: boolean;
  readonly country?: string;
  readonly timezone?: string;
  readonly undated?: 'subscribe' | 'list_only' | 'reject';
  readonly preset?: PresetName;
  readonly smsColumn?: string;
  readonly smsCountries?: string[];
  readonly smsWithoutSender?: 'stop' | 'reject';
  readonly customSource?: string;
  readonly confirmWithin?: number;
  readonly lostAnswerWait?: number;
  readonly query?: string;
  readonly map?: string;
  readonly implicit?: boolean;
  readonly consentedAt?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly pilot?: number;
  readonly canary?: number;
  readonly wait?: number;
  readonly share?: number;
  readonly watchDays?: number;
  readonly rejects?: string;
  readonly detach?: boolean;
  readonly json?: boolean;
}

const CANARY_WAIT_MS = 15 * 60_000;

/** Reads the source, starts its migration and follows it to its end. */
export async function runMigrate(
  connected: Connected,
  file: string,
  flags: MigrateFlags,
  terminal: Terminal,
): Promise<void> {
  const output = new Output(terminal, flags.json ?? false);
  const request = requestOf(file, flags);
  const view = new ProgressView(terminal, timingOf(request).confirmWithinMs);
  const started = await connected.consentry
    .startMigration(request, (rows) => view.showRead(rows))
    .finally(() => view.stop());
  const webUi = connected.webUi(started.id);
  output.say(startedWords(started, webUi));
  if (flags.detach) {
    output.result(
      { ...started, webUi },
      started.waitsForApproval
        ? `It plans, and then waits for your word: consentry approve ${started.id}`
        : `It goes on by itself. See how far it is with: consentry status ${started.id}`,
    );
    return;
  }
  await followToEnd(
    connected,
    started,
    { output, view },
    flags.query === undefined ? file : null,
    flags.rejects ?? rejectsPath(flags.query === undefined ? file : 'query'),
  );
}

interface Screen {
  readonly output: Output;
  readonly view: ProgressView;
}

async function followToEnd(
  connected: Connected,
  started: StartedMigration,
  { output, view }: Screen,
  source: string | null,
  rejectsFile: string,
): Promise<void> {
  const { consentry } = connected;
  const { id } = started;
  const detach = new AbortController();
  const onInterrupt = (): void => detach.abort();
  process.once('SIGINT', onInterrupt);
  let stopped: MigrationStoppedError | null = null;
  let asked = false;
  try {
    const end = await watchMigration(consentry, id, {
      everyMs: 500,
      signal: detach.signal,
      onPlan: (plan) => output.say(`\n${renderPlan(plan)}\n`),
      onProgress: async (progress) => {
        if (progress.phase !== 'approval') return view.show(progress);
        if (asked) return;
        asked = true;
        await askForApproval(consentry, id, progress.rows, output);
      },
    });
    if (end === null) {
      view.stop();
      output.note(detachedWords(id));
      throw new Ended(EXIT.interrupted);
    }
  } catch (error) {
    if (!(error instanceof MigrationStoppedError)) throw error;
    stopped = error;
  } finally {
    view.stop();
    process.off('SIGINT', onInterrupt);
  }

  const report = await consentry.report(id);
  const sentNothing = report.jobs.submitted === 0;
  const rejects = await writeRejects(() => consentry.parts(id), rejectsFile, source);
  const result = { ...report, workflowId: started.workflowId, webUi: connected.webUi(id), rejects };
  if (stopped !== null && sentNothing) {
    // Its one message says it all; nobody needs a table of rows that were not sent.
    if (output.json) output.result(result, '');
    output.note(`${stopped.message} Nothing was sent.`);
    throw new Ended(exitCodeOfStop(stopped.failureType));
  }
  output.result(result, [renderReport(report), ...rejectedWords(rejects)].join('\n\n'));
  if (stopped !== null) {
    output.note(stopped.message);
    throw new Ended(EXIT.stopped);
  }
  if (report.phase === 'cancelled') throw new Ended(EXIT.cancelled);
}

function requestOf(file: string, flags: MigrateFlags): MigrationRequest {
  return {
    file,
    listId: flags.list ?? null,
    channels: flags.channels ?? ['email'],
    optIn: flags.optIn ?? null,
    historical: flags.historical ?? false,
    smsCountries: flags.smsCountries ?? null,
    country: flags.country ?? null,
    timezone: flags.timezone ?? null,
    preset: flags.preset ?? null,
    smsColumn: flags.smsColumn ?? null,
    customSource: flags.customSource ?? null,
    ...(flags.undated === undefined ? {} : { undated: flags.undated }),
    ...(flags.smsWithoutSender === undefined ? {} : { smsWithoutSender: flags.smsWithoutSender }),
    query: flags.query ?? null,
    mapping: flags.map ?? null,
    implicit: flags.implicit ?? false,
    consentedAt: flags.consentedAt ?? null,
    dryRun: flags.dryRun ?? false,
    confirm: flags.yes !== true,
    pilot: flags.pilot ?? null,
    canary:
      flags.canary === undefined
        ? null
        : { rows: flags.canary, waitMs: flags.wait ?? CANARY_WAIT_MS },
    ...(flags.share === undefined ? {} : { share: flags.share }),
    ...(flags.watchDays === undefined ? {} : { watchDays: flags.watchDays }),
    timing: {
      ...(flags.confirmWithin === undefined ? {} : { confirmWithinMs: flags.confirmWithin }),
      ...(flags.lostAnswerWait === undefined ? {} : { ambiguousWaitMs: flags.lostAnswerWait }),
    },
  };
}

function startedWords(started: StartedMigration, webUi: string | null): string {
  const { id, attached, rows, preset } = started;
  const begun = attached
    ? `The same file with the same settings is running already as migration ${id}: nothing new was started.`
    : `Migration ${id} started: ${counted(rows, 'row')}, layout ${preset}.`;
  return webUi === null ? begun : `${begun}\nWeb UI: ${webUi}`;
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
