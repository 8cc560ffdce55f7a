import { z } from 'zod';
import { OFF_PEOPLE } from '../../../contracts/programs.js';
import {
  ASK_AGAIN_DAYS,
  consentSettings,
  clockTime,
  timeZone,
} from '../../migrations/request/consent-settings.js';
import { setting, text, yesOrNo } from '../../migrations/request/setting.js';
import {
  channelsOrNone,
  country,
  sourceSettings,
} from '../../migrations/request/source-settings.js';
import { bare, eitherOf, keyOf } from './keys.js';
import { reference } from './reference.js';
import { segmentKeys } from './segment-schema.js';
import { syncSchema } from './sync-schema.js';

/** Names are in messages, in reports and in the names of files. */
const named = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'use letters, digits, - and _, at most 63 of them');

const NAMES_OF_LISTS = 'give the names of lists, such as [Newsletter]';

const processOf = bare(consentSettings.optIn);

export const accountSchema = z.strictObject(
  {
    key: setting(reference.optional(), {
      says: 'private API key for `consentry worker --config-account`; no other verb reads it',
      otherwise: 'the worker’s `KLAVIYO_API_KEY`',
    }),
    id: setting(
      z
        .string({ error: 'give the six-character id of a Klaviyo account' })
        .regex(/^[A-Za-z0-9_-]{1,64}$/, 'give the six-character id of a Klaviyo account')
        .optional(),
      {
        says: 'Klaviyo’s id of the account, which its runs are bound to; needed if there are several',
        otherwise: 'the only one',
      },
    ),
    country: setting(country.optional(), {
      says: 'country of phone numbers without a country code, such as US',
    }),
    default_opt_in: setting(processOf.optional(), {
      says: 'opt-in process of the account, which applies without a list; the API does not show it',
    }),
    create_lists: setting(z.array(text(NAMES_OF_LISTS), { error: NAMES_OF_LISTS }).default([]), {
      says: 'names of lists that `consentry apply` creates if the account does not have them, with the `opt_in` of their program; any other list must be there',
      otherwise: 'none',
    }),
    whatsapp: setting(yesOrNo(), {
      says: 'your word that WhatsApp is connected, which no API says',
    }),
  },
  { error: 'give its settings, such as { country: US }; {} if it has none' },
);

export const connectionSchema = z.strictObject(
  {
    url: setting(reference, { says: 'address of the database, with its password' }),
  },
  { error: 'give { url: { env: NAME } }, the variable with the address of the database' },
);

const QUIET = 'give { from: "21:00", to: "08:00", time_zone: Europe/Berlin }';

export const quietHoursSchema = z.strictObject(
  {
    from: setting(clockTime, { says: 'the first quiet minute, such as "21:00"' }),
    to: setting(clockTime, {
      says: 'when texts may ask again, such as "08:00", of the same or the next day',
    }),
    time_zone: setting(timeZone, { says: 'time zone of these times, such as Europe/Berlin' }),
  },
  { error: QUIET },
);

const quietHours = quietHoursSchema
  .refine(({ from, to }) => from !== to, 'give two different times')
  .transform(({ from, to, time_zone: zone }) => ({ from, to, timeZone: zone }));

/** What a program can have of its own or from the defaults of its account. */
const consentKeys = {
  channels: setting(channelsOrNone.optional(), {
    says: 'channels that the program asks consent for; an empty list means none, and nothing is run',
    otherwise: 'email',
  }),
  list: setting(text('give the id or the name of a list, or null').nullable().optional(), {
    says: 'list to subscribe people to, by id or name; null for the account’s default opt-in process',
    otherwise: 'null; of a program with a `key`, its name',
  }),
  opt_in: keyOf(consentSettings.optIn, {
    otherwise:
      'without a list the account’s `default_opt_in`; of a list of the program’s own, double',
  }),
  ask_again_days: keyOf(consentSettings.askAgainDays, { otherwise: String(ASK_AGAIN_DAYS) }),
  historical: keyOf(consentSettings.historical, { otherwise: 'false' }),
  sms_countries: keyOf(consentSettings.smsCountries),
  sms_without_sender: keyOf(consentSettings.smsWithoutSender, { otherwise: 'stop' }),
  quiet_hours: setting(quietHours.nullable().optional(), {
    says: 'times of the day at which no text asks for a click: what would send one waits; null for none',
    otherwise: 'none',
  }),
  ...segmentKeys,
};

export const defaultsSchema = z.strictObject(consentKeys, {
  error: 'give settings of its programs, such as { opt_in: double }',
});

export const sourceSchema = z
  .strictObject(
    {
      file: setting(
        text('give the path of a file')
          .refine(
            (path) => !/^(postgres|postgresql|mysql|mariadb):/i.test(path),
            'give a database as { connection: NAME, query: SQL }, with its address in connections',
          )
          .optional(),
        { says: 'file with the people, relative to this file' },
      ),
      connection: setting(text('give the name of a connection').optional(), {
        says: 'database with the people, by its name in `connections`',
      }),
      query: keyOf(sourceSettings.query, { says: 'query whose rows are the people' }),
      encoding: keyOf(sourceSettings.encoding),
      preset: keyOf(sourceSettings.preset),
      mapping: keyOf(sourceSettings.mapping, {
        says: 'mapping file for a source without a preset, relative to this file',
      }),
      sms_column: keyOf(sourceSettings.smsColumn),
      country: keyOf(sourceSettings.country, { otherwise: 'the account’s `country`' }),
      timezone: keyOf(sourceSettings.timezone),
      consented_at: keyOf(sourceSettings.consentedAt),
      attested: keyOf(sourceSettings.attested),
      undated: keyOf(sourceSettings.undated),
    },
    { error: 'give { file: PATH } or { connection: NAME, query: SQL }' },
  )
  .superRefine(
    eitherOf('file', 'connection', 'give { file: PATH } or { connection: NAME, query: SQL }'),
  )
  .superRefine(({ file, connection, query, preset, mapping }, context) => {
    const issue = (key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message });
    if (connection !== undefined && query === undefined) {
      issue('query', 'give the SQL SELECT that selects the people');
    }
    if (file !== undefined && connection === undefined && query !== undefined) {
      issue('query', 'a file has no query: leave it out, or give a connection');
    }
    if (preset !== undefined && mapping !== undefined) {
      issue('mapping', 'only one can say what the columns mean: leave out preset or mapping');
    }
  });

export const proofSchema = z.strictObject(
  {
    statement: setting(text('give the text that people agreed to, or its address'), {
      says: 'what people agreed to: the text, or its address',
    }),
    method: setting(text('say how they agreed, such as: sign-up form'), {
      says: 'how they agreed, such as a sign-up form',
    }),
  },
  { error: 'give { statement: TEXT, method: TEXT }' },
);

export const offSchema = z.strictObject(
  {
    people: setting(
      z.enum(OFF_PEOPLE, {
        error: 'give nothing, unsubscribe_given or unsubscribe_all',
      }),
      {
        says:
          'whom `apply` unsubscribes from a channel that the program does not ask for any more: nobody; whoever ' +
          'has this consent from the program alone; or all its contacts',
      },
    ),
  },
  { error: 'give { people: nothing }, or what else happens to the people' },
);

export const programSchema = z.strictObject(
  {
    account: setting(text('give the name of an account of this file'), {
      says: 'account of its people, by its name in `accounts`',
    }),
    source: setting(sourceSchema, { says: 'where its people are' }),
    enabled: setting(z.boolean({ error: 'give true or false' }).optional(), {
      says: 'false switches the program off, as `channels: []` does: nothing is run for it',
      otherwise: 'true',
    }),
    ...consentKeys,
    key: setting(text('give the name of a column').optional(), {
      says:
        'column that tells the people of the source apart: the program is a segment then, whose people are asked ' +
        'when they enter, and leave',
      otherwise: 'each run asks for everybody',
    }),
    off: setting(offSchema.optional(), {
      says: 'what happens to its people when the program or one of its channels is switched off',
      otherwise: '{ people: nothing }',
    }),
    proof: setting(proofSchema.optional(), {
      says: 'proof of the consent, which Klaviyo and the ledger store as its source',
      otherwise: 'the preset and the id of the migration',
    }),
  },
  { error: 'give its settings, such as account and source' },
);

function group<Schema extends z.ZodType>(of: Schema, example: string) {
  return z.record(named, of, { error: `give its entries by name, such as ${example}` });
}

/** The whole file. */
export const fileSchema = z.strictObject(
  {
    version: setting(
      z.literal(1, { error: 'give 1: this version of Consentry reads version: 1' }),
      {
        says: 'version of the form of this file: 1',
      },
    ),
    accounts: setting(group(accountSchema, 'shop: {}').default({}), {
      says: 'Klaviyo accounts, by names of your own',
    }),
    connections: setting(group(connectionSchema, 'crm: { url: { env: CRM_URL } }').default({}), {
      says: 'databases, by names of your own',
    }),
    defaults: setting(group(defaultsSchema, 'shop: { opt_in: double }').default({}), {
      says: 'what the programs of an account have in common, by its name',
    }),
    programs: setting(
      group(programSchema, 'newsletter: { account: shop, source: ... }').default({}),
      {
        says: 'programs, by names of your own',
      },
    ),
    syncs: setting(
      group(syncSchema, 'nightly: { account: shop, to: { connection: crm }, every: 15m }').default(
        {},
      ),
      {
        says: 'syncs of consent into databases, by names of your own',
      },
    ),
  },
  { error: 'give its keys, such as version: 1; consentry init writes such a file' },
);

/** A file whose form is right. Names that refer to other entries are not checked yet. */
export type Settings = z.output<typeof fileSchema>;
export type AccountSettings = z.output<typeof accountSchema>;
export type ConsentKeys = z.output<typeof defaultsSchema>;
export type ProgramSettings = z.output<typeof programSchema>;
