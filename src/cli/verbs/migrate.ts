import type { Command } from 'commander';
import { parseRequest } from '../../starter/migrations/request/parse.js';
import { addRequestFlags, settingsGiven, type VerbFlags } from '../request-flags.js';
import { asFlags } from '../request-words.js';
import type { OutputFlags } from '../run/migrate.js';
import type { Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

export function addMigrate(program: Command, terminal: Terminal): void {
  const verb = program
    .command('migrate')
    .description(
      'apply the consent in a file or a query; every row ends with an outcome that was read back',
    )
    .argument(
      '<source>',
      'file (CSV, TSV, NDJSON, also gzip or zip), or address of a database with --query',
    );
  addRequestFlags(verb, 'migrate')
    .option('--rejects <path>', 'file for refused rows (default: <file>.rejects.csv)')
    .option('--detach', 'start it and return at once')
    .option('--json', 'print one JSON document at the end')
    .addHelpText(
      'after',
      `
Ctrl-C only stops watching: the migration goes on.

Examples:
  consentry migrate subscribed.csv --list XyZ123 --historical --timezone UTC
  consentry migrate postgres://shop.example/crm --query 'select * from consent' --list XyZ123 --opt-in single
  consentry migrate customers.csv --list XyZ123 --channels email,sms --country US --opt-in double`,
    )
    .action(async (file: string, flags: VerbFlags & OutputFlags) => {
      const { checkOutput, runMigrate } = await import('../run/migrate.js');
      checkOutput(flags);
      const request = parseRequest({ ...settingsGiven('migrate', flags), file }, asFlags);
      await withConsentry((connected) => runMigrate(connected, request, flags, terminal));
    });
}
