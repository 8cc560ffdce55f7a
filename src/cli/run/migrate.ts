import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ConsentChannel } from '../../contracts/channels.js';
import type { PresetName } from '../../importers/index.js';
import type { Consentry } from '../../starter/consentry.js';
import type { StartedMigration } from '../../starter/migrations/start.js';
import type { Connected } from '../../starter/connect.js';
import { timingOf, type MigrationRequest } from '../../starter/migrations/settings.js';
import { UsageError } from '../ended.js';
import { followToEnd } from './follow.js';
import { requireWritable } from '../report/private-file.js';
import { ProgressView } from '../terminal/progress-view.js';
import { rejectsPath } from '../report/rejects.js';
import { startedAloneWords } from '../render/next-steps.js';
import type { FirstRows } from '../render/plan.js';
import { counted } from '../render/quantities.js';
import { Output, type Terminal } from '../terminal/terminal.js';

export interface MigrateFlags {
  readonly account?: string;
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
  const there = flags.query === undefined ? await stat(file).catch(() => null) : null;
  // What came through a pipe cannot be read again for its refused lines.
  const source = flags.query !== undefined || there?.isFIFO() ? null : file;
  const rejects =
    flags.rejects ?? rejectsPath(source ?? (flags.query === undefined ? basename(file) : 'query'));
  // A source that is not there is named by whoever reads it.
  const isMissing = source !== null && there === null;
  if (flags.detach !== true && (flags.rejects !== undefined || !isMissing)) {
    await requireWritable(rejects, 'Say where refused rows go with --rejects PATH.');
  }
  const request = requestOf(file, flags);
  const view = new ProgressView(terminal, timingOf(request).confirmWithinMs);
  const started = await connected.consentry.migrations
    .start(request, (rows) => view.showRead(rows))
    .finally(() => view.stop());
  const webUi = connected.webUi(started.id);
  output.say(startedWords(started, webUi));
  if (flags.detach) {
    const waitsForApproval = await waitsForWord(connected.consentry, started);
    output.result(
      { ...started, waitsForApproval, webUi },
      startedAloneWords(started.id, waitsForApproval),
    );
    return;
  }
  const { yes = false } = flags;
  const firstRows = firstRowsOf(flags);
  await followToEnd(connected, started, { output, view, source, rejects, yes, firstRows });
}

/** @throws UsageError for a flag that would do nothing without, or beside, another */
export function checkTogether({ wait, canary, rejects, detach }: MigrateFlags): void {
  if (wait !== undefined && canary === undefined) {
    throw new UsageError('--wait is the pause after the rows of --canary: give --canary ROWS too.');
  }
  if (rejects !== undefined && detach === true) {
    throw new UsageError(
      '--rejects is written at the end, and --detach does not wait for it: leave one out. ' +
        'consentry report ID --csv PATH has every row, also later.',
    );
  }
}

/** A run that was met may wait for a word that somebody else was asked for. */
async function waitsForWord(consentry: Consentry, started: StartedMigration): Promise<boolean> {
  if (!started.attached) return started.waitsForApproval;
  return (await consentry.migrations.progress(started.id)).phase === 'approval';
}

function firstRowsOf({ pilot, canary, wait }: MigrateFlags): FirstRows | null {
  if (pilot !== undefined) return { rows: pilot, thenWaitMs: null };
  return canary === undefined ? null : { rows: canary, thenWaitMs: wait ?? CANARY_WAIT_MS };
}

function requestOf(file: string, flags: MigrateFlags): MigrationRequest {
  return {
    file,
    account: flags.account ?? null,
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
  const { id, accountId, attached, rows, preset } = started;
  const begun = attached
    ? `The same file with the same settings is running already as migration ${id}: nothing new was started.`
    : `Migration ${id} started for account ${accountId}: ${counted(rows, 'row')}, layout ${preset}.`;
  return webUi === null ? begun : `${begun}\nWeb UI: ${webUi}`;
}
