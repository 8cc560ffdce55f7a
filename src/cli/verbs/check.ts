import { Option, type Command } from 'commander';
import type { ConsentChannel } from '../../contracts/channels.js';
import { parseChannels, parseCountries } from '../arguments.js';
import { renderPreflight } from '../render/preflight.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

interface CheckFlags {
  readonly account?: string;
  readonly list?: string;
  readonly channels?: ConsentChannel[];
  readonly optIn?: 'single' | 'double';
  readonly historical?: boolean;
  readonly smsCountries?: string[];
  readonly json?: boolean;
}

const READY =
  'Nothing of the account stands in the way of a run with these flags. Its rows: migrate --dry-run.';

export function addCheck(program: Command, terminal: Terminal): void {
  program
    .command('check')
    .description('check key, list, opt-in process and SMS as a migration would; sends nothing')
    .option('--account <id>', 'account, where workers for several use the same ledger')
    .option('--list <id>', 'list to subscribe into')
    .option(
      '--channels <names>',
      'of email, sms, sms_transactional, whatsapp, push (default: email)',
      parseChannels,
    )
    .addOption(
      new Option('--opt-in <process>', 'expected opt-in process').choices(['single', 'double']),
    )
    .option('--historical', 'for consent that was given before: no messages, dates are sent')
    .option(
      '--sms-countries <codes>',
      'countries with a sender, where the key may not read them: US,CA',
      parseCountries,
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  consentry check --list XyZ123 --opt-in double')
    .action(async (flags: CheckFlags) => {
      const output = new Output(terminal, flags.json ?? false);
      await withConsentry(async ({ consentry }) => {
        const preflight = await consentry.migrations.check({
          account: flags.account ?? null,
          listId: flags.list ?? null,
          channels: flags.channels ?? ['email'],
          optIn: flags.optIn ?? null,
          historical: flags.historical ?? false,
          smsCountries: flags.smsCountries ?? null,
        });
        output.result(preflight, `${renderPreflight(preflight)}\n\n${READY}`);
      });
    });
}
