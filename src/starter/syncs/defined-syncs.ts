import { resolve } from 'node:path';
import {
  SYNC_DEFAULTS,
  type SecretReference,
  type SyncDestination,
  type SyncInterval,
  type SyncSettings,
} from '../../contracts/sync.js';
import type { SyncEntry } from '../programs/file/sync-schema.js';
import { inFolder, referenceOf, type ProgramsFile } from '../programs/file/read.js';
import type { Secrets } from '../programs/file/secrets.js';
import { LATE_AFTER } from '../schedules.js';
import { DEFAULT_TABLE, shownDestination, shownFolder } from './request.js';

/** A sync as a `consentry.yaml` defines it. */
export interface DefinedSync {
  readonly name: string;
  /** Klaviyo’s id of its account; null if the file does not say. */
  readonly accountId: string | null;
  /** Where it writes, without secrets. */
  readonly destination: string;
  readonly settings: SyncSettings;
}

/** The syncs of a file, in its order. */
export function definedSyncs(file: ProgramsFile, secrets: Secrets): DefinedSync[] {
  const { accounts, connections, syncs } = file.settings;
  return Object.entries(syncs).map(([name, entry]): DefinedSync => {
    const accountId = accounts[entry.account]?.id ?? null;
    const { folder, connection: named = '', table = DEFAULT_TABLE } = entry.to;
    if (folder !== undefined) {
      const at = inFolder(file, folder);
      const settings = settingsOf(entry, filesOf(entry, at), file);
      return { name, accountId, destination: shownFolder(at), settings };
    }
    const connection = connections[named];
    const url = secrets.get(named);
    if (connection === undefined || url === undefined) {
      throw new Error(`The file was not checked: syncs.${name} has no connection.`);
    }
    const to = tableOf(entry, referenceOf(file, connection.url));
    const settings = settingsOf(entry, to, file);
    return { name, accountId, destination: shownDestination(url, table), settings };
  });
}

function tableOf({ to }: SyncEntry, url: SecretReference): SyncDestination {
  const {
    table = DEFAULT_TABLE,
    history = null,
    lists,
    on_deleted: onDeleted = 'erase',
    columns = {},
  } = to;
  const withLists = typeof lists === 'string' ? { lists } : {};
  return { kind: 'table', url, table, history, ...withLists, onDeleted, columns };
}

function filesOf({ to }: SyncEntry, folder: string): SyncDestination {
  const { format = 'csv', lists, on_deleted: onDeleted = 'erase', columns = {} } = to;
  const withLists = lists === undefined ? {} : ({ lists: true } as const);
  return { kind: 'files', folder: resolve(folder), format, ...withLists, onDeleted, columns };
}

function settingsOf(entry: SyncEntry, to: SyncDestination, file: ProgramsFile): SyncSettings {
  const { every, sweep, overlap, notify } = entry;
  return {
    to,
    every: every === undefined ? null : intervalOf(every),
    // Of a cron expression, Temporal knows the times.
    lateAfterMs: typeof every === 'number' ? every * LATE_AFTER : null,
    notify: notify === undefined ? null : referenceOf(file, notify.url),
    sweepEveryMs: sweep ?? SYNC_DEFAULTS.sweepEveryMs,
    overlapMs: overlap ?? SYNC_DEFAULTS.overlapMs,
  };
}

/** How often something runs, from the file. */
export function intervalOf(every: NonNullable<SyncEntry['every']>): SyncInterval {
  return typeof every === 'number'
    ? { everyMs: every }
    : { cron: every.cron, timeZone: every.time_zone };
}
