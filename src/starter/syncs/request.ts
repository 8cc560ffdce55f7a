import { z } from 'zod';
import { parseDatabaseUrl } from '../../connectors/databases/database-url.js';
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

/** A sync that is asked for without a file. */
export const syncRequestSchema = z.strictObject(
  {
    to: setting(text('give the address of a database, such as postgres://user@host/crm'), {
      says: 'address of the database to write to, with its password; the ledger keeps it only until the run ends',
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
);

/** A sync of consent into a database. */
export type SyncRequest = z.input<typeof syncRequestSchema>;
export type FullSyncRequest = z.output<typeof syncRequestSchema>;
type SyncKeys = Pick<FullSyncRequest, keyof typeof syncKeys>;

/** How a sync runs by itself, and who is told of it. */
export type SyncRoutine = Pick<SyncSettings, 'every' | 'lateAfterMs' | 'notify'>;

export const ON_REQUEST: SyncRoutine = { every: null, lateAfterMs: null, notify: null };

export function settingsOf(
  keys: SyncKeys,
  url: SecretReference,
  routine: SyncRoutine = ON_REQUEST,
): SyncSettings {
  const { table, history, onDeleted, columns, sweepEveryMs, overlapMs } = keys;
  const to = { kind: 'table', url, table, history, onDeleted, columns } as const;
  return { to, sweepEveryMs, overlapMs, ...routine };
}

/** Where a sync writes, for people and to tell syncs apart; without the password. */
export function shownDestination(url: string, table: string): string {
  return `${parseDatabaseUrl(url).shown}, table ${table}`;
}
