import type { SyncInterval } from '../../contracts/sync.js';
import type { ActivationChange } from '../../starter/programs/activation/activations.js';
import type { SyncChange } from '../../starter/syncs/apply-syncs.js';
import { durationText } from '../../starter/migrations/request/spelling.js';
import type { PlannedChange } from '../run/plan-changes.js';
import type { AppliedChange } from '../run/applied-change.js';
import { renderApplied, renderChanges } from './program-changes.js';
import { table } from './table.js';

const CHANGE_WORDS: Readonly<Record<SyncChange['change'], string>> = {
  none: 'no change',
  new: 'new',
  changed: 'changed',
  removed: 'no longer in the file',
};

/** A sync's change in `--json`. The keys are stable. */
export function syncChangeDocument({ sync, accountId, change, keys }: SyncChange): object {
  return { sync, account: accountId, change, keys };
}

/** What a file changes: its programs, then its syncs. */
export function renderFile(
  planned: readonly PlannedChange[],
  syncs: readonly SyncChange[],
  schedules: readonly ActivationChange[],
): string {
  const ofSyncs = [renderSyncChanges(syncs), renderSchedules(schedules)]
    .filter((text) => text !== '')
    .join('\n\n');
  // A file may have syncs alone.
  const ofPrograms = planned.length === 0 && ofSyncs !== '' ? '' : renderChanges(planned);
  return [ofPrograms, ofSyncs].filter((text) => text !== '').join('\n\n');
}

/** What became of every change of a file. */
export function renderAppliedFile(
  applied: readonly AppliedChange[],
  syncs: readonly SyncChange[],
): string {
  const done = syncs.filter(({ change }) => change !== 'none').map(({ sync }) => sync);
  return [
    ...(applied.length === 0 && syncs.length > 0 ? [] : [renderApplied(applied)]),
    ...(done.length === 0 ? [] : [`Syncs applied: ${done.join(', ')}.`]),
    ...(applied.length === 0 && done.length === 0 && syncs.length > 0
      ? ['Nothing differs from what was applied last.']
      : []),
  ].join('\n\n');
}

/** All syncs of a file, and what applying it would do; blank without any. */
function renderSyncChanges(changes: readonly SyncChange[]): string {
  if (changes.length === 0) return '';
  return table(
    [{ head: 'sync' }, { head: 'account' }, { head: 'change' }, { head: 'would do' }],
    changes.map((each) => [each.sync, each.accountId, changeWords(each), effectWords(each)]),
  );
}

/** The segments that run by themselves; blank without any. */
function renderSchedules(changes: readonly ActivationChange[]): string {
  if (changes.length === 0) return '';
  return table(
    [{ head: 'segment' }, { head: 'account' }, { head: 'change' }, { head: 'would do' }],
    changes.map(({ program, accountId, change, every }) => [
      program,
      accountId,
      CHANGE_WORDS[change],
      change === 'none' ? 'nothing' : every === null ? 'run no more by itself' : timesOf(every),
    ]),
  );
}

function changeWords({ change, keys }: SyncChange): string {
  return change === 'changed'
    ? `${CHANGE_WORDS[change]}: ${keys.join(', ')}`
    : CHANGE_WORDS[change];
}

function effectWords({ change, of }: SyncChange): string {
  if (change === 'none') return 'nothing';
  if (of === null) return 'run no more by itself; its table stays';
  const { every } = of.settings;
  return every === null ? 'run only when asked for' : timesOf(every);
}

function timesOf(every: SyncInterval): string {
  return 'everyMs' in every
    ? `run every ${durationText(every.everyMs)}`
    : `run at ${every.cron} (${every.timeZone})`;
}
