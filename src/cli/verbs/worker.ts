import { Option, type Command } from 'commander';
import type { WorkerRole } from '../../worker.js';
import { UsageError } from '../ended.js';
import type { KeyOfFile } from '../run/worker.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { CONFIG_FLAG } from './config.js';

/** Repeated here so that other verbs do not load the worker's native modules. */
const ROLES = ['workflow', 'activity', 'all'] as const satisfies readonly WorkerRole[];

export function addWorker(program: Command, terminal: Terminal): void {
  program
    .command('worker')
    .description('run migrations, until Ctrl-C or SIGTERM; start as many workers as you like')
    .addOption(
      new Option(
        '--role <role>',
        'workflow decides and needs no Klaviyo key, activity calls Klaviyo, all does both',
      )
        .choices(ROLES)
        .default('all'),
    )
    .option(
      '--account <id>',
      'account to work for (default: the key’s account; required without a key)',
    )
    .option(
      '--config-account <name>',
      'account of consentry.yaml whose key and id the worker takes',
    )
    .option(...CONFIG_FLAG)
    .option('--json', 'print one JSON object per line for each event')
    .addHelpText(
      'after',
      `
Takes KLAVIYO_API_KEY, DATABASE_URL and TEMPORAL_ADDRESS (or TEMPORAL_PROFILE) from the
environment; what is not set comes from a running "consentry dev". It checks its key first, and then
runs the migrations of the key's account only.

Example:
  KLAVIYO_API_KEY=pk_... consentry worker`,
    )
    .action(async (flags: WorkerFlags) => {
      const { runWorker } = await import('../run/worker.js');
      const output = new Output(terminal, flags.json ?? false);
      const { key, id } = await accountOfFile(flags);
      await runWorker(flags.role, flags.account ?? id, output, key);
    });
}

interface WorkerFlags {
  readonly role: WorkerRole;
  readonly account?: string;
  readonly configAccount?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** What `consentry.yaml` says of the account of the worker; nothing if it is not asked. */
async function accountOfFile({ configAccount: name, config }: WorkerFlags): Promise<{
  readonly key: KeyOfFile | null;
  readonly id: string | null;
}> {
  if (name === undefined) {
    if (config === undefined) return { key: null, id: null };
    throw new UsageError(
      '--config says where the file is; say which account with --config-account.',
    );
  }
  const { readFile } = await import('../../starter/programs/file/read.js');
  const { keyOfAccount } = await import('../../starter/programs/file/secrets.js');
  const file = await readFile(config ?? null);
  const account = file.settings.accounts[name];
  if (account === undefined) {
    const known = Object.keys(file.settings.accounts).join(', ');
    throw new UsageError(`${file.path} has no account ${name}: it has ${known || 'none'}.`);
  }
  const key = await keyOfAccount(file, name);
  return {
    key: key === null ? null : { value: key, name: `accounts.${name}.key` },
    id: account.id ?? null,
  };
}
