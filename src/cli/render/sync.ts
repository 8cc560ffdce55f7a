import type { SyncPhase, SyncProgress, SyncResult } from '../../contracts/sync.js';
import type { SyncStatus } from '../../starter/syncs/syncs.js';
import { count, counted, duration } from './quantities.js';
import { scheduleWords } from './schedule.js';
import { table } from './table.js';

const PHASE_WORDS: Record<SyncPhase, string> = {
  begin: 'checking the destination',
  first: 'reading the whole account',
  changes: 'reading what changed',
  sweep: 'reading the whole account again',
  gone: 'looking for profiles that are gone',
  files: 'writing the files',
  done: 'done',
  failed: 'stopped',
};

/** @param leftMs an estimate of the time left; null if there is none */
export function syncProgressLine(progress: SyncProgress, leftMs: number | null): string {
  const { phase, read, added, changed, removed, left } = progress;
  return [
    PHASE_WORDS[phase],
    left === null || left === 0
      ? `${counted(read, 'profile')}`
      : `${count(read)} of about ${count(read + left)} profiles`,
    ...(leftMs === null || leftMs < 1_000 ? [] : [`ETA ${duration(leftMs)}`]),
    `added ${count(added)}`,
    ...(changed === 0 ? [] : [`changed ${count(changed)}`]),
    ...(removed === 0 ? [] : [`removed ${count(removed)}`]),
    ...(membersWords(progress) === null ? [] : [membersWords(progress)]),
  ].join(' | ');
}

export function renderSyncResult(result: SyncResult): string {
  const { whole, read, added, changed, removed, drift } = result;
  const what =
    whole === null
      ? 'Read what changed'
      : `Read the whole account${whole === 'first' ? ' for the first time' : ''}`;
  const lines = [
    `${what}: ${counted(read, 'profile')} read, ${count(added)} added, ${count(changed)} changed, ` +
      `${count(removed)} removed.`,
  ];
  const members = membersWords(result);
  if (members !== null) lines.push(`Lists: ${members}.`);
  if (whole === 'sweep') lines.push(driftWords(drift));
  return lines.join('\n');
}

/** Null if nobody joined or left a list. */
function membersWords({
  membersJoined: joined,
  membersLeft: left,
}: Pick<SyncResult, 'membersJoined' | 'membersLeft'>): string | null {
  return joined === 0 && left === 0 ? null : `${count(joined)} joined, ${count(left)} left`;
}

function driftWords(drift: SyncResult['drift']): string {
  const found = Object.entries(drift).sort(([a], [b]) => (a < b ? -1 : 1));
  if (found.length === 0) return 'It found nothing that should have been noticed before.';
  const words = found.map(([what, times]) => `${what} ${count(times)}`).join(', ');
  return `It found changes that no other source had shown: ${words}.`;
}

/** @param withLag also how late each channel's changes were noticed */
export function renderSyncs(syncs: readonly SyncStatus[], withLag: boolean): string {
  if (syncs.length === 0) {
    return 'There is no sync yet. Start one: consentry sync run --to postgres://user@host/database';
  }
  return syncs
    .flatMap((sync) => [renderSync(sync), ...(withLag ? [renderLag(sync)] : [])])
    .join('\n\n');
}

function renderSync(status: SyncStatus): string {
  const { sync, runs } = status;
  const head = [
    `${sync.name ?? sync.id}: account ${sync.accountId} to ${sync.destination}`,
    [successWords(status), scheduleWords(status.schedule)].join('; '),
  ].join('\n');
  if (runs.length === 0) return head;
  const rows = runs.map((run) => [
    run.id,
    run.startedAt.toISOString().slice(0, 16).replace('T', ' '),
    run.does === 'validation' ? 'rows to compare' : (run.whole ?? 'changes'),
    ...[run.read, run.added, run.changed, run.removed, run.calls].map(count),
    endWords(run),
  ]);
  return `${head}\n\n${table(RUN_COLUMNS, rows)}`;
}

/** For each channel, from when Klaviyo changed something until it was noticed. */
function renderLag({ lag }: SyncStatus): string {
  const rows = Object.entries(lag).map(([channel, summary]) => [
    channel,
    ...(summary === null
      ? ['-', '-', '-']
      : [count(summary.changes), duration(summary.medianMs), duration(summary.largestMs)]),
  ]);
  return table(LAG_COLUMNS, rows);
}

const LAG_COLUMNS = [
  { head: 'noticed in 24 h' },
  ...['changes', 'median lag', 'largest lag'].map((head) => ({ head, align: 'right' as const })),
];

const RUN_COLUMNS = [
  { head: 'run' },
  { head: 'started (UTC)' },
  { head: 'reads' },
  ...['profiles', 'added', 'changed', 'removed', 'calls'].map((head) => ({
    head,
    align: 'right' as const,
  })),
  { head: 'end' },
];

function successWords({ lastSuccessMs, isLate }: SyncStatus): string {
  const last =
    lastSuccessMs === null ? 'never succeeded' : `last success ${duration(lastSuccessMs)} ago`;
  return isLate ? `${last}: LATE` : last;
}

function endWords({ finishedAt, failure, warning }: SyncStatus['runs'][number]): string {
  if (finishedAt === null) return 'running';
  if (failure !== null) return failure.slice(0, LONGEST_END);
  return warning === null ? 'done' : `done; ${warning.slice(0, LONGEST_END)}`;
}

const LONGEST_END = 80;
