import { Option, type Command } from 'commander';
import type { PresetName } from '../../importers/index.js';
import {
  parseChannels,
  parseCountries,
  parseCountry,
  parseDuration,
  parseLimitShare,
  wholeNumber,
} from '../arguments.js';
import type { MigrateFlags } from '../run/migrate.js';
import type { Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

/** Named here so that help does not load the importers. */
const PRESETS = [
  'mailchimp-subscribed',
  'mailchimp-unsubscribed',
  'mailchimp-cleaned',
  'shopify-customers',
  'klaviyo-export',
  'klaviyo-import',
  'omnisend',
  'generic',
] as const satisfies readonly PresetName[];

export function addMigrate(program: Command, terminal: Terminal): void {
  program
    .command('migrate')
    .description('apply the consent of a file, until every row has an outcome that was read back')
    .argument(
      '<source>',
      'file (CSV, TSV, NDJSON, also gzip), or address of a database with --query',
    )
    .option('--query <sql>', 'query whose rows are the source, on PostgreSQL or MySQL')
    .option('--account <id>', 'account, where workers for several use the same ledger')
    .option('--map <file>', 'mapping file for another layout; consentry map writes one')
    .option(
      '--list <id>',
      'list to subscribe into; without one the account’s opt-in process applies',
    )
    .option(
      '--channels <names>',
      'of email, sms, sms_transactional, whatsapp, push (default: email)',
      parseChannels,
    )
    .addOption(
      new Option('--opt-in <process>', 'opt-in process that is expected').choices([
        'single',
        'double',
      ]),
    )
    .option('--historical', 'import consent given before: its dates are sent, Klaviyo mails nobody')
    .option(
      '--country <code>',
      'country of phone numbers without a country code, such as US',
      parseCountry,
    )
    .option('--timezone <name>', 'time zone of dates that have none, such as Europe/Berlin')
    .addOption(
      new Option(
        '--undated <what>',
        'what a subscribe without a date becomes (default: subscribe; with --historical the run stops)',
      ).choices(['subscribe', 'list_only', 'reject']),
    )
    .addOption(
      new Option('--preset <name>', 'layout of the file (default: recognised)').choices(PRESETS),
    )
    .option('--sms-column <name>', 'column with the phone number (default: as the layout has it)')
    .option(
      '--sms-countries <codes>',
      'countries with a sender, where the key may not read them: US,CA',
      parseCountries,
    )
    .addOption(
      new Option(
        '--sms-without-sender <what>',
        'SMS rows of countries without a sender: stop the run, or reject them (default: stop)',
      ).choices(['stop', 'reject']),
    )
    .option('--custom-source <text>', 'what Klaviyo keeps as source of the consent')
    .option(
      '--confirm-within <time>',
      'deadline of the read-back (default: 15m, with --historical 45m)',
      parseDuration,
    )
    .option(
      '--lost-answer-wait <time>',
      'wait before a lost answer of Klaviyo is read back (default: 3m)',
      parseDuration,
    )
    .option('--implicit', 'put everybody on the list without consent; subscribe nobody')
    .option(
      '--consented-at <date>',
      'consent date of rows without one, which you attest: 2024-05-01 or with time and zone',
    )
    .option('--dry-run', 'plan only: what would be sent, to whom, how long; send nothing')
    .option('--yes', 'start without asking, whatever the number of rows')
    .addOption(
      new Option('--pilot <rows>', 'run this many rows to their end, and stop')
        .argParser(wholeNumber(1))
        .conflicts('canary'),
    )
    .option(
      '--canary <rows>',
      'run this many rows to their end first; go on only if they end as planned',
      wholeNumber(1),
    )
    .option('--wait <time>', 'pause after the canary (default: 15m)', parseDuration)
    .option('--share <share>', 'part of the account’s limits to use, above 0 to 1', parseLimitShare)
    .option(
      '--watch-days <days>',
      'days to follow people who have not clicked (default: 7)',
      wholeNumber(0, 365),
    )
    .option('--rejects <path>', 'file for refused rows (default: <file>.rejects.csv)')
    .option('--detach', 'start it and return')
    .option('--json', 'print one JSON document at the end')
    .addHelpText(
      'after',
      `
Ctrl-C stops watching only: the migration goes on.

Examples:
  consentry migrate subscribed.csv --list XyZ123 --historical --timezone UTC
  consentry migrate postgres://shop.example/crm --query 'select * from consent' --list XyZ123 --opt-in single
  consentry migrate customers.csv --list XyZ123 --channels email,sms --country US --opt-in double`,
    )
    .action(async (file: string, flags: MigrateFlags) => {
      const { checkTogether, runMigrate } = await import('../run/migrate.js');
      checkTogether(flags);
      await withConsentry((connected) => runMigrate(connected, file, flags, terminal));
    });
}
