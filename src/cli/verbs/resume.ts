import type { Command } from 'commander';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

export function addResume(program: Command, terminal: Terminal): void {
  program
    .command('resume')
    .description('resume a paused migration')
    .argument('<id>', 'id of the migration')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  consentry resume 20260102-1a2b3c4d')
    .action(async (id: string, flags: { json?: boolean }) => {
      await withConsentry(async ({ consentry }) => {
        await consentry.migrations.resume(id);
        new Output(terminal, flags.json ?? false).result(
          { id, paused: false },
          `Migration ${id} goes on.`,
        );
      });
    });
}
