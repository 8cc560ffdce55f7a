import { z } from 'zod';
import { timeZone } from '../../migrations/request/consent-settings.js';
import { choice, setting, text } from '../../migrations/request/setting.js';
import { readDuration } from '../../migrations/request/spelling.js';
import { SNAPSHOT_FORMATS } from '../../../contracts/sync.js';
import { NAMED_LISTS, NAMELESS_LISTS, syncKeys } from '../../syncs/request.js';
import { eitherOf, keyOf } from './keys.js';
import { reference } from './reference.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** A length of time as flags take it, read as milliseconds. */
function duration(leastMs: number, mostMs: number, example: string) {
  const error = `give a number and a unit, such as ${example}`;
  return z
    .string({ error })
    .refine((value) => readDuration(value) !== null, error)
    .refine(
      (value) => {
        const ms = readDuration(value);
        return ms === null || (ms >= leastMs && ms <= mostMs);
      },
      { error: `give from ${leastMs / MINUTE_MS}m to ${mostMs / (60 * MINUTE_MS)}h` },
    )
    .transform((value) => readDuration(value) ?? 0)
    .meta({ type: 'string' });
}

export const cronFields = text('give the five fields of a crontab, such as "0 3 * * *"').regex(
  /^\s*\S+(\s+\S+){4}\s*$/,
  'give the five fields of a crontab, such as "0 3 * * *"',
);

export const CRON_SAYS =
  'minute, hour, day of the month, month and day of the week, as in a crontab';
export const ZONE_SAYS = 'time zone of these times, such as Europe/Berlin';

/** A length of time between two runs. */
export const interval = duration(MINUTE_MS, 7 * DAY_MS, '15m');

const cron = z.strictObject(
  {
    cron: setting(cronFields, { says: CRON_SAYS }),
    time_zone: setting(timeZone, { says: ZONE_SAYS }),
  },
  { error: 'give 15m, or { cron: "0 3 * * *", time_zone: Europe/Berlin }' },
);

const every = z.union([interval, cron], {
  error:
    'give a time from 1m to 168h, such as 15m, or { cron: "0 3 * * *", time_zone: Europe/Berlin }',
});

const EITHER = 'give { connection: NAME, table: NAME } or { folder: PATH, format: parquet }';

export const toSchema = z
  .strictObject(
    {
      connection: setting(text('give the name of a connection').optional(), {
        says: 'database to write to, by its name in `connections`',
      }),
      folder: setting(
        text('give the path of a folder')
          .refine((path) => !path.includes('://'), 'give a database as a connection')
          .optional(),
        { says: 'folder to write files into, relative to this file, where the worker runs' },
      ),
      format: setting(choice(SNAPSHOT_FORMATS).optional(), {
        says: 'format of the files in a folder',
        otherwise: 'csv',
      }),
      table: keyOf(syncKeys.table, { otherwise: '`klaviyo_consent`' }),
      history: keyOf(syncKeys.history, { otherwise: 'none' }),
      lists: keyOf(syncKeys.lists, { otherwise: 'none' }),
      on_deleted: keyOf(syncKeys.onDeleted, { otherwise: 'erase' }),
      columns: keyOf(syncKeys.columns, { otherwise: 'the names in docs/destinations.md' }),
    },
    { error: EITHER },
  )
  .superRefine(eitherOf('connection', 'folder', EITHER))
  .superRefine(({ folder, table, history, lists, format }, context) => {
    const issue = (key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message });
    if (folder === undefined) {
      if (format !== undefined) issue('format', 'only files have a format: leave it out');
      if (lists === true) issue('lists', NAMELESS_LISTS);
      return;
    }
    if (table !== undefined) issue('table', 'a folder has no table: leave it out');
    if (history !== undefined) issue('history', 'a folder has no table of changes: leave it out');
    if (typeof lists === 'string') issue('lists', NAMED_LISTS);
  });

export const notify = z.strictObject(
  { url: setting(reference, { says: 'http or https address that gets a POST' }) },
  { error: 'give { url: { env: NAME } }, the variable with the address' },
);

export const webhooksSchema = z.strictObject(
  {
    secret: setting(reference, {
      says: 'secret with which Klaviyo signs the requests of the webhook, its `secret_key`: at least 16 characters',
    }),
    former_secret: setting(reference.optional(), {
      says: 'the secret before, which is taken as well while it is being changed in Klaviyo',
      otherwise: 'none',
    }),
  },
  { error: 'give { secret: { env: NAME } }, the variable with the secret of the webhook' },
);

export const syncSchema = z.strictObject(
  {
    account: setting(text('give the name of an account of this file'), {
      says: 'account whose consent is written, by its name in `accounts`',
    }),
    to: setting(toSchema, { says: 'where it is written' }),
    every: setting(every.optional(), {
      says: 'how often it runs by itself, such as 15m, or at which times',
      otherwise: 'only when `consentry sync run` asks for it',
    }),
    sweep: setting(duration(15 * MINUTE_MS, 31 * DAY_MS, '24h').optional(), {
      says: 'time between two readings of the whole account, which find what no other source shows',
      otherwise: '24h',
    }),
    overlap: setting(duration(MINUTE_MS, 7 * DAY_MS, '15m').optional(), {
      says: 'how long before the end of the last reading the next one begins, since changes show late',
      otherwise: '15m',
    }),
    notify: setting(notify.optional(), {
      says: 'who is told when the sync is late or failed, and when it is well again',
      otherwise: 'nobody',
    }),
    webhooks: setting(webhooksSchema.optional(), {
      says: 'webhooks of the account that start a run, for `consentry webhooks listen`; no other verb reads it',
      otherwise: 'none',
    }),
  },
  { error: 'give its settings, such as account and to' },
);

export type WebhooksEntry = z.output<typeof webhooksSchema>;
export type SyncEntry = z.output<typeof syncSchema>;
