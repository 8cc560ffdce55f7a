import { Option, type Command } from 'commander';
import { parseDuration } from '../arguments.js';
import { UsageError } from '../ended.js';
import type { SyncRunFlags } from '../run/sync-run.js';
import type { Terminal } from '../terminal/terminal.js';

export function addSync(program: Command, terminal: Terminal): void {
  const verb = program
    .command('sync')
    .description('write the consent and suppressions of an account’s profiles into a database');
  verb
    .command('run')
    .description('read what changed since the last run; the first run reads the whole account')
    .option('--to <url>', 'database to write to, such as postgres://user:password@host/crm')
    .option('--table <name>', 'table with one row a profile (default: klaviyo_consent)')
    .option('--history <name>', 'table with one row a change (default: none)')
    .addOption(
      new Option(
        '--on-deleted <what>',
        'rows of profiles that Klaviyo deleted (default: erase)',
      ).choices(['erase', 'keep']),
    )
    .option(
      '--sweep <time>',
      'time between readings of the whole account (default: 24h)',
      parseDuration,
    )
    .option(
      '--overlap <time>',
      'how long before the end of the last reading the next begins (default: 15m)',
      parseDuration,
    )
    .option('--full', 'read the whole account, even if only what changed is due')
    .option('--account <id>', 'account, if workers for several accounts use the same ledger')
    .option('--detach', 'start and return at once')
    .option('--json', 'print one JSON document at the end')
    .addHelpText(
      'after',
      `
Ctrl-C only stops watching: the run goes on. The address with its password is kept only until the
run ends. A table belongs to one sync; it is created by the first run and never altered.

Examples:
  consentry sync run --to postgres://crm@localhost/crm
  consentry sync run --to postgres://crm@localhost/crm --table consent --history consent_history --full`,
    )
    .action(async (flags: Partial<SyncRunFlags>) => {
      if (flags.to === undefined) {
        throw new UsageError('Say where to write: --to postgres://user:password@host/database.');
      }
      const { runSync } = await import('../run/sync-run.js');
      await runSync({ ...flags, to: flags.to }, terminal);
    });
  verb
    .command('status')
    .description('show syncs: the last success and its age, and what the latest runs did')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  consentry sync status')
    .action(async (flags: { readonly json?: boolean }) => {
      const { showSyncs } = await import('../run/sync-status.js');
      await showSyncs(flags.json ?? false, terminal);
    });
}
