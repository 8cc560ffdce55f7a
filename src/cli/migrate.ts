import { Option, type Command } from 'commander';
import type { PresetName } from '../importers/index.js';
import { parseChannels, parseCountries, parseCountry, parseDuration } from './arguments.js';
import type { MigrateFlags } from './run-migrate.js';
import type { Terminal } from './terminal.js';
import { withConsentry } from './with-consentry.js';

/** Named here so that help does not load the importers. */
const PRESETS = [
  'mailchimp-subscribed',
  'mailchimp-unsubscribed',
  'generic',
] as const satisfies readonly PresetName[];

export function addMigrate(program: Command, terminal: Terminal): void {
  program
    .command('migrate')
    .description('apply the consent of a file, until every row has an outcome that was read back')
    .argument('<file>', 'CSV file: an export of Mailchimp, or columns email, phone_number, ...')
    .option(
      '--list <id>',
      'list to subscribe into; without one the account’s opt-in process applies',
    )
    .option('--channels <names>', 'email, sms or both (default: email)', parseChannels)
    .addOption(
      new Option('--opt-in <process>', 'opt-in process that is expected').choices([
        'single',
        'double',
      ]),
    )
    .option('--historical', 'import consent given before: its dates are sent, Klaviyo mails nobody')
    .option('--country <code>', 'country of phone numbers without one, such as US', parseCountry)
    .option('--timezone <name>', 'time zone of dates without one, such as Europe/Berlin')
    .addOption(
      new Option(
        '--undated <what>',
        'what a subscribe without a date becomes (default: subscribe, with --historical reject)',
      ).choices(['subscribe', 'list_only', 'reject']),
    )
    .addOption(
      new Option('--preset <name>', 'layout of the file (default: recognised)').choices(PRESETS),
    )
    .option('--sms-column <name>', 'column with the phone number')
    .option(
      '--sms-countries <codes>',
      'countries with a sender, where the key may not read them',
      parseCountries,
    )
    .option('--custom-source <text>', 'what Klaviyo keeps as source of the consent')
    .option('--confirm-within <time>', 'deadline of the read-back, 15m', parseDuration)
    .option(
      '--lost-answer-wait <time>',
      'wait before a lost answer of Klaviyo is read back, 3m',
      parseDuration,
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
  consentry migrate customers.csv --list XyZ123 --channels email,sms --country US --opt-in double`,
    )
    .action(async (file: string, flags: MigrateFlags) => {
      const { runMigrate } = await import('./run-migrate.js');
      await withConsentry((connected) => runMigrate(connected, file, flags, terminal));
    });
}
