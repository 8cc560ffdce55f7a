import type { MigrationSettings } from '../../contracts/migration.js';
import {
  openSource,
  SourceError,
  type Changes,
  type ImportedSource,
  type ImportOptions,
} from '../../importers/index.js';
import { runsOfSource, type LedgerDb, type RunOfSource } from '../../ledger/index.js';
import { PRESET_NAMES } from '../../importers/presets/names.js';
import type { FullRequest } from './request/schema.js';

/** Nothing changed between the two exports, so nothing was started. */
export class NothingChangedError extends Error {
  override readonly name = 'NothingChangedError';
  constructor(readonly changes: Changes) {
    super('No row is new or has changed since the older export: nothing was started.');
  }
}

/**
 * Opens the export that `since` names, to be read as the newer one is.
 *
 * @returns null without one
 * @throws SourceError
 */
export async function openOlder(
  { since }: FullRequest,
  newer: ImportedSource,
  options: ImportOptions,
): Promise<ImportedSource | null> {
  if (since === null) return null;
  const preset = PRESET_NAMES.find((name) => name === newer.preset) ?? null;
  return openSource(since, { ...options, preset });
}

/** Hashing the source and clocks that differ come between the reading of a source and its run. */
const EARLIER_MS = 24 * 3_600_000;

/**
 * A moment before the older export was read for the first run of it.
 *
 * @param settings of the run that is to start
 * @throws SourceError if no run of the account has read the export in the same way and sent all of it:
 *   what did not change would never be done
 */
export async function requireMigrated(
  db: LedgerDb,
  older: ImportedSource,
  accountId: string,
  settings: MigrationSettings,
): Promise<Date> {
  const runs = await runsOfSource(db, accountId, await older.sha256());
  const whole = runs.filter(({ phase, hasUnsent }) => phase === 'done' && !hasUnsent);
  const differing = whole.map((run) => differences(run.settings, settings));
  if (differing.some((names) => names.length === 0)) {
    return new Date(Math.min(...runs.map(({ createdAt }) => createdAt.getTime())) - EARLIER_MS);
  }
  throw new SourceError(
    'since_not_migrated',
    { file: older.name },
    problemOf(runs, whole, differing, accountId),
    'Give --since the very file that was migrated to its end, and the settings of that run; or leave it ' +
      'out: every row is run then, and nobody is sent twice.',
  );
}

function problemOf(
  [newest]: readonly RunOfSource[],
  [whole]: readonly RunOfSource[],
  [names = []]: readonly (readonly string[])[],
  accountId: string,
): string {
  if (newest === undefined) {
    return `No migration of account ${accountId} has read this file, so what did not change since may never have been done.`;
  }
  if (whole === undefined) {
    return `Migration ${newest.id} has read this file, but has not sent all of it (${newest.phase}).`;
  }
  return `Migration ${whole.id} of this file had other settings: ${names.join(', ')}.`;
}

/** The settings of a request by which two runs read, or ask for, something else. */
function differences(one: MigrationSettings, other: MigrationSettings): string[] {
  const [before, now] = [comparedOf(one), comparedOf(other)];
  return Object.keys({ ...before, ...now }).filter((name) => before[name] !== now[name]);
}

function comparedOf(settings: MigrationSettings): Readonly<Record<string, unknown>> {
  const { listId, channels, unsubscribeFrom, consent, reading } = settings;
  return {
    listId,
    channels: channels.join(),
    unsubscribeFrom,
    implicit: consent === 'implicit',
    ...reading,
  };
}
