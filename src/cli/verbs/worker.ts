import { Option, type Command } from 'commander';
import type { WorkerRole } from '../../worker.js';
import { Output, type Terminal } from '../terminal/terminal.js';

/** Named here so that no other verb loads the worker's native parts. */
const ROLES = ['workflow', 'activity', 'all'] as const satisfies readonly WorkerRole[];

export function addWorker(program: Command, terminal: Terminal): void {
  program
    .command('worker')
    .description('carry migrations out: as many of these as you like, until Ctrl-C or SIGTERM')
    .addOption(
      new Option(
        '--role <role>',
        'workflow decides and needs no Klaviyo key, activity talks to Klaviyo, all does both',
      )
        .choices(ROLES)
        .default('all'),
    )
    .option('--account <id>', 'account to work for (default: that of the key; needed without one)')
    .option('--json', 'print a JSON object a line for each event')
    .addHelpText(
      'after',
      `
Takes KLAVIYO_API_KEY, DATABASE_URL and TEMPORAL_ADDRESS (or TEMPORAL_PROFILE) from the
environment; what is not set comes from a running "consentry dev". It proves its key first, and then
carries out the runs of the key's account and of no other.

Example:
  KLAVIYO_API_KEY=pk_... consentry worker`,
    )
    .action(async (flags: { role: WorkerRole; account?: string; json?: boolean }) => {
      const { runWorker } = await import('../run/worker.js');
      const output = new Output(terminal, flags.json ?? false);
      await runWorker(flags.role, flags.account ?? null, output);
    });
}
