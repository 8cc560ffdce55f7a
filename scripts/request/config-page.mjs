/** The reference of consentry.yaml, made from its schema. */
import {
  accountSchema,
  connectionSchema,
  defaultsSchema,
  fileSchema,
  offSchema,
  programSchema,
  proofSchema,
  quietHoursSchema,
  sourceSchema,
} from '../../src/starter/programs/file/schema.ts';
import {
  brakesSchema,
  enterSchema,
  leaveSchema,
} from '../../src/starter/programs/file/segment-schema.ts';
import {
  syncSchema,
  toSchema,
  webhooksSchema,
} from '../../src/starter/programs/file/sync-schema.ts';
import { settingsOf } from '../../src/starter/migrations/request/settings-list.ts';
import { code, table } from './table.mjs';

export function configPage() {
  return `# consentry.yaml

<!-- Written by npm run generate from src/starter/programs/file/schema.ts. -->

The file with the programs: who is asked for consent to what, on which list and with which opt-in process.
[Programs](programs.md) explains it step by step. It is looked for in the current folder; \`--config PATH\` or
\`CONSENTRY_CONFIG\` name another one. Paths in it are relative to its folder.

\`consentry config check\` says what is wrong in it, with place and remedy. Every verb that sends something checks the
whole file first. \`consentry config schema\` prints its [JSON Schema](config.schema.json), by which editors complete
and check it.

\`\`\`yaml
version: 1
accounts:
  shop: { id: AbC123, country: US, default_opt_in: double }
connections:
  crm: { url: { env: CRM_URL } }
defaults:
  shop: { list: Newsletter, opt_in: double, channels: [email] }
programs:
  ambassadors:
    account: shop
    source:
      connection: crm
      query: select email, phone_number, 'yes' as email_consent, 'yes' as sms_consent from ambassadors
    channels: [email, sms]
    list: Ambassadors
    proof: { statement: 'https://shop.test/terms#mail', method: sign-up form }
  newsletter:
    account: shop
    source: { file: newsletter.csv }
\`\`\`

- **Left out is not null.** A key that is left out falls back to \`defaults\`, then to the account, then to the default
  below. \`list: null\` and \`channels: []\` are answers: no list, no channel. A key without a value is refused.
- **No secrets.** A key or an address with a password is referred to, never written; no message and no \`--json\` shows
  one.

## The whole file

${keysTable(withoutGroups(fileSchema))}

## accounts

${keysTable(withoutGroups(accountSchema))}

## connections

${keysTable(withoutGroups(connectionSchema))}

PostgreSQL, MySQL and MariaDB are [read as by \`--query\`](sources.md#queries).

A secret is referred to by one of these keys, also in \`accounts.….key\`:

${keysTable(
  settingsOf(connectionSchema).filter(({ name }) => name.startsWith('url.')),
  'url.',
)}

## defaults

By the name of an account: what its programs have in common.

${keysTable(withoutGroups(defaultsSchema))}

## programs

The same keys, which override the defaults, and:

${keysTable(withoutGroups(programSchema).filter(({ name }) => !(name in defaultsSchema.shape)))}

### source

${keysTable(withoutGroups(sourceSchema))}

One of \`file\` and \`connection\` is needed, and a \`query\` with a connection. [Sources](sources.md) says which columns are
read; a channel needs a column that says who consented to it.

### enter, leave and brakes

Of a program with a \`key\`: see [segments](segments.md). Each can be in \`defaults\`, and key by key in the program.

\`enter\`:

${keysTable(withoutGroups(enterSchema))}

\`leave\`:

${keysTable(withoutGroups(leaveSchema))}

\`brakes\`:

${keysTable(settingsOf(brakesSchema))}

### quiet_hours

${keysTable(settingsOf(quietHoursSchema))}

All three are needed: see [quiet hours](segments.md#quiet-hours).

### off

${keysTable(withoutGroups(offSchema))}

[When a program is switched off](programs.md#when-a-program-is-switched-off) says what each of them reaches. Taking the
program itself out of the file unsubscribes nobody.

### proof

${keysTable(withoutGroups(proofSchema))}

Both are needed. \`method: statement\` is what Klaviyo stores as the source of each consent (\`custom_source\`), and the
ledger with the run.

## syncs

By names of your own: [consent sync](sync.md) explains it step by step.

${keysTable(withoutGroups(syncSchema))}

Instead of a time, \`every\` takes \`{ cron: "0 3 * * *", time_zone: Europe/Berlin }\`; \`notify\` takes \`{ url: { env: NAME } }\`.

### to

${keysTable(withoutGroups(toSchema))}

One of \`connection\` and \`folder\` is needed.

### webhooks

${keysTable(withoutGroups(webhooksSchema))}

Each takes \`{ env: NAME }\` or \`{ file: PATH }\`, read where \`consentry webhooks listen\` runs. [Webhooks](sync.md#webhooks)
has the steps.

## What is refused

- An unknown key, account or connection, and a value that is not possible.
- A variable that is not set, a secret or a mapping file that cannot be read. Keys of accounts are read by the worker
  alone, secrets of webhooks by \`consentry webhooks listen\` alone.
- Two programs that expect different opt-in processes on one list for one channel, and \`opt_in\` beside another
  \`default_opt_in\` without a list.
- No known opt-in process without a list.
- Programs of several accounts without their ids, and one id for two accounts.
- The channel \`whatsapp\` without \`whatsapp: true\` at the account. No API says whether WhatsApp is connected; if it is
  not, Klaviyo stores the numbers without consent, for ever, and no answer says so.
`;
}

function withoutGroups(schema) {
  return settingsOf(schema).filter(({ name }) => !name.includes('.'));
}

function keysTable(settings, prefix = '') {
  return table(
    ['key', 'values', 'default', 'meaning'],
    settings.map((setting) => [
      code(setting.name.slice(prefix.length)),
      valuesOf(setting),
      setting.otherwise ?? (setting.default === false ? 'false' : ''),
      setting.says,
    ]),
  );
}

function valuesOf({ kind, choices }) {
  switch (kind) {
    case 'switch':
      return '`true`, `false`';
    case 'choice':
      return choices.map(code).join(', ');
    case 'list':
      return 'a list';
    case 'number':
      return 'a number';
    case 'group':
      return 'keys';
    default:
      return '';
  }
}
