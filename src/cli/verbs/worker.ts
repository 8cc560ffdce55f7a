import { Option, type Command } from 'commander';
import type { WorkerRole } from '../../worker.js';
import { Output, type Terminal } from '../terminal/terminal.js';

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
    .action(async (flags: { role: WorkerRole; account?: string; json?: boolean }) => {
      const { runWorker } = await import('../run/worker.js');
      const output = new Output(terminal, flags.json ?? false);
      await runWorker(flags.role, flags.account ?? null, output);
    });
}
