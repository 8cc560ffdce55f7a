import type { Command } from 'commander';
import { Output, type Terminal } from '../terminal/terminal.js';

export function addDev(program: Command, terminal: Terminal): void {
  program
    .command('dev')
    .description('run PostgreSQL, Temporal with its Web UI and a worker here, until Ctrl-C')
    .option('--sandbox', 'use a simulated Klaviyo instead of the real one')
    .option('--json', 'print a JSON object on one line when it is ready')
    .addHelpText(
      'after',
      `
Keeps its data for the next start. The other commands find it by themselves.
Without --sandbox it needs KLAVIYO_API_KEY.

Examples:
  consentry dev --sandbox
  KLAVIYO_API_KEY=pk_... consentry dev`,
    )
    .action(async (flags: { sandbox?: boolean; json?: boolean }) => {
      const { runDev } = await import('../run/dev.js');
      await runDev(flags.sandbox ?? false, new Output(terminal, flags.json ?? false));
    });
}
