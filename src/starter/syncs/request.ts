import { resolve } from 'node:path';
import { z } from 'zod';
import { isDatabaseUrl, parseDatabaseUrl } from '../../connectors/databases/database-url.js';
import { SNAPSHOT_FORMATS } from '../../contracts/sync.js';
import { SYNC_DEFAULTS, type SecretReference, type SyncSettings } from '../../contracts/sync.js';
import { choice, milliseconds, setting, text, yesOrNo } from '../migrations/request/setting.js';

/** Where a sync writes that names no table. */
export const DEFAULT_TABLE = 'klaviyo_consent';

const MINUTE_MS = 60_000;

const tableName = (what: string) =>
  text(`give the name of ${what}, such as klaviyo_consent or crm.klaviyo_consent`).regex(
    /^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$/,
    'use letters, digits and _, with the schema before a point if there is one',
  );

/** What a sync can be told, in `consentry.yaml` as on the command line. */
export const syncKeys = {
  table: setting(tableName('a table').default(DEFAULT_TABLE), {
    says: 'table with one row a profile; created by the first run, checked by later ones, never altered',
  }),
  history: setting(tableName('a table').nullable().default(null), {
    says: 'table with one row a change; null for none',
  }),
  lists: setting(
    z
      .union([tableName('a table'), z.literal(true)], {
        error: 'give the name of a table, such as klaviyo_list_members; of files, true',
      })
      .nullable()
      .default(null),
    {
      says:
        'table with one row a membership of a list, with those that ended; of files, true; null for none. ' +
        'Each run then makes a call for each list of the account',
    },
  ),
  onDeleted: setting(choice(['erase', 'keep']).default('erase'), {
    says:
      'what becomes of the row of a profile that Klaviyo deleted: erase leaves a mark that nobody can ' +
      'trace back, keep leaves the row with deleted_at',
  }),
  columns: setting(
    z
      .record(z.string(), tableName('a column'), {
        error: 'give other names by the default ones, such as { email: email_address }',
      })
      .default({}),
    { says: 'other names of columns, by their default names' },
  ),
  sweepEveryMs: setting(
    milliseconds(15 * MINUTE_MS)
      .nullable()
      .default(SYNC_DEFAULTS.sweepEveryMs),
    {
      says: 'time between two readings of the whole account, which find what no other source shows',
      unit: 'milliseconds',
    },
  ),
  overlapMs: setting(
    milliseconds(MINUTE_MS, 7 * 24 * 60 * MINUTE_MS).default(SYNC_DEFAULTS.overlapMs),
    {
      says: 'how long before the end of the last reading the next one begins, since changes show late',
      unit: 'milliseconds',
    },
  ),
};

/** What is wrong with `lists` of a database, and of a folder. */
export const NAMELESS_LISTS = 'give the name of the table, such as klaviyo_list_members';
export const NAMED_LISTS =
  'a folder has no table, its files are called list_members: give true, or leave it out';

/** A sync that is asked for without a file. */
export const syncRequestSchema = z
  .strictObject(
    {
      to: setting(
        text('give the address of a database, such as postgres://user@host/crm, or a folder'),
        {
          says:
            'address of the database to write to, with its password, which the ledger keeps only until the ' +
            'run ends; or a folder where the worker runs',
        },
      ),
      format: setting(choice(SNAPSHOT_FORMATS).nullable().default(null), {
        says: 'format of the files in a folder',
      }),
      ...syncKeys,
      full: setting(yesOrNo(), {
        says: 'reads the whole account, even if only what changed is due',
      }),
      account: setting(
        text('give the six-character id of a Klaviyo account').nullable().default(null),
        {
          says: 'Klaviyo’s id of the account; needed if workers for several use the ledger',
        },
      ),
    },
    { error: 'give the settings of a sync, such as { to: "postgres://user@host/crm" }' },
  )
  .superRefine(({ to, format, history, lists }, context) => {
    const issue = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (isDatabaseUrl(to)) {
      if (format !== null)
        issue('format', 'only files have a format: leave it out, or give a folder');
      if (lists === true) issue('lists', NAMELESS_LISTS);
      return;
    }
    if (to.includes('://')) issue('to', 'give a postgres:// or mysql:// address, or a folder');
    else if (format === null)
      issue('format', 'say which files to write into the folder: csv, ndjson or parquet');
    if (history !== null) issue('history', 'only a database has a table of changes: leave it out');
    if (typeof lists === 'string') issue('lists', NAMED_LISTS);
  });

/** A sync of consent into a database. */
export type SyncRequest = z.input<typeof syncRequestSchema>;
export type FullSyncRequest = z.output<typeof syncRequestSchema>;
/** How a sync runs by itself, and who is told of it. */
export type SyncRoutine = Pick<SyncSettings, 'every' | 'lateAfterMs' | 'notify'>;

/** How a sync runs by itself, as it was applied. */
export function routineOf(applied: SyncSettings | null): Partial<SyncSettings> {
  if (applied === null) return ON_REQUEST;
  const { every, lateAfterMs, notify, isRemoved } = applied;
  return { every, lateAfterMs, notify, ...(isRemoved === undefined ? {} : { isRemoved }) };
}

const ON_REQUEST: SyncRoutine = { every: null, lateAfterMs: null, notify: null };

/** Of a sync that is asked for without a file. */
export function settingsOf(request: FullSyncRequest): SyncSettings {
  const { to, format, table, history, lists, onDeleted, columns } = request;
  const { sweepEveryMs, overlapMs } = request;
  const routine = { sweepEveryMs, overlapMs, ...ON_REQUEST };
  if (format !== null) {
    const folder = resolve(to);
    const withLists = lists === null ? {} : ({ lists: true } as const);
    return { to: { kind: 'files', folder, format, ...withLists, onDeleted, columns }, ...routine };
  }
  const url: SecretReference = { from: 'run' };
  const withLists = typeof lists === 'string' ? { lists } : {};
  return {
    to: { kind: 'table', url, table, history, ...withLists, onDeleted, columns },
    ...routine,
  };
}

/** The same of a sync that is asked for without a file. */
export function destinationOf({ to, format, table }: FullSyncRequest): string {
  return format === null ? shownDestination(to, table) : shownFolder(to);
}

export function shownFolder(folder: string): string {
  return `folder ${resolve(folder)}`;
}

/** Where a sync writes, for people and to tell syncs apart; without the password. */
export function shownDestination(url: string, table: string): string {
  return `${parseDatabaseUrl(url).shown}, table ${table}`;
}
