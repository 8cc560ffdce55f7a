import { Option, type Command } from 'commander';
import { SNAPSHOT_FORMATS } from '../../contracts/sync.js';
import { parseDuration, wholeNumber } from '../arguments.js';
import type { SyncFlags, SyncRunFlags } from '../run/sync-run.js';
import type { Terminal } from '../terminal/terminal.js';
import { CONFIG_FLAG } from './config.js';

export function addSync(program: Command, terminal: Terminal): void {
  const verb = program
    .command('sync')
    .description('write the consent and suppressions of an account’s profiles into a database');
  addRun(verb, terminal);
  withTarget(
    verb
      .command('reset')
      .description('read the whole account again and compare every row with it; no row is deleted')
      .argument('[name]', 'name of a sync of consentry.yaml'),
  )
    .option('--detach', 'start and return at once')
    .option('--json', 'print one JSON document at the end')
    .addHelpText(
      'after',
      `
For a sync that stopped because its table and the ledger differ, for example after a backup was
restored.

Examples:
  consentry sync reset nightly
  consentry sync reset --to postgres://crm@localhost/crm`,
    )
    .action(async (name: string | undefined, flags: SyncRunFlags) => {
      const { runSync } = await import('../run/sync-run.js');
      await runSync(name ?? null, { ...flags, reset: true }, terminal);
    });
  withTarget(
    verb
      .command('validate')
      .description('compare random rows with what Klaviyo says of them now; write nothing')
      .argument('[name]', 'name of a sync'),
  )
    .option('--sample <count>', 'rows to compare', wholeNumber(1, 100_000), 500)
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Ends with code 8 if anything differs. What changed since the last run differs too.

Example:
  consentry sync validate nightly --sample 500`,
    )
    .action(async (name: string | undefined, flags: SyncFlags & { readonly sample: number }) => {
      const { validateRows } = await import('../run/sync-validate.js');
      await validateRows(name ?? null, flags, terminal);
    });
  verb
    .command('status')
    .description(
      'show syncs: the last success and its age, the next run, what the latest runs did; of one, its lag',
    )
    .argument('[name]', 'name of a sync')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  consentry sync status\n  consentry sync status nightly')
    .action(async (name: string | undefined, flags: { readonly json?: boolean }) => {
      const { showSyncs } = await import('../run/sync-status.js');
      await showSyncs(name ?? null, flags.json ?? false, terminal);
    });
  for (const [does, says] of [
    ['pause', 'let the Schedule of a sync start no runs until unpause'],
    ['unpause', 'let the Schedule of a sync start runs again'],
  ] as const) {
    verb
      .command(does)
      .description(says)
      .argument('<name>', 'name of a sync')
      .option('--account <id>', 'account, if syncs of several have this name')
      .addHelpText('after', `\nExample:\n  consentry sync ${does} nightly`)
      .action(async (name: string, { account }: { readonly account?: string }) => {
        const { pauseSync } = await import('../run/sync-status.js');
        await pauseSync(name, does === 'pause', account ?? null, terminal);
      });
  }
  verb
    .command('cancel')
    .description('end the run of a sync that is going on; the next one goes on where it was')
    .argument('<name>', 'name or id of a sync')
    .addHelpText('after', '\nExample:\n  consentry sync cancel nightly')
    .action(async (name: string) => {
      const { cancelSync } = await import('../run/sync-status.js');
      await cancelSync(name, terminal);
    });
}

function addRun(verb: Command, terminal: Terminal): void {
  withTarget(
    verb
      .command('run')
      .description('read what changed since the last run; the first run reads the whole account')
      .argument('[name]', 'name of a sync of consentry.yaml'),
  )
    .option('--history <name>', 'table with one row a change (default: none)')
    .option(
      '--lists [table]',
      'table with one row a membership of a list; without a name for a folder (default: none)',
    )
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
    .option('--detach', 'start and return at once')
    .option('--json', 'print one JSON document at the end')
    .addHelpText(
      'after',
      `
Ctrl-C only stops watching: the run goes on. The address with its password is kept only until the
run ends. A table belongs to one sync; it is created by the first run and never altered.

Examples:
  consentry sync run nightly
  consentry sync run --to postgres://crm@localhost/crm
  consentry sync run --to consent/ --format parquet
  consentry sync run --to postgres://crm@localhost/crm --table consent --history consent_history --full
  consentry sync run --to postgres://crm@localhost/crm --lists klaviyo_list_members`,
    )
    .action(async (name: string | undefined, flags: SyncRunFlags) => {
      const { runSync } = await import('../run/sync-run.js');
      await runSync(name ?? null, flags, terminal);
    });
}

/** A sync is meant by its name, or by where it writes. */
function withTarget(command: Command): Command {
  return command
    .option(
      '--to <url>',
      'without a name: database, such as postgres://user:password@host/crm, or a folder',
    )
    .addOption(
      new Option('--format <format>', 'format of the files, if --to is a folder').choices(
        SNAPSHOT_FORMATS,
      ),
    )
    .option('--table <name>', 'table with one row a profile (default: klaviyo_consent)')
    .option('--account <id>', 'account, if workers for several accounts use the same ledger')
    .option(...CONFIG_FLAG);
}
