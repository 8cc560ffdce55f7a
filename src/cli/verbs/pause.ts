import type { Command } from 'commander';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

export function addPause(program: Command, terminal: Terminal): void {
  program
    .command('pause')
    .description('submit nothing more until resume; what was submitted is still read back')
    .argument('<id>', 'id of the migration')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  consentry pause 20260102-1a2b3c4d')
    .action(async (id: string, flags: { json?: boolean }) => {
      await withConsentry(async ({ consentry }) => {
        await consentry.migrations.pause(id);
        new Output(terminal, flags.json ?? false).result(
          { id, paused: true },
          `Migration ${id} is paused. Resume it with: consentry resume ${id}`,
        );
      });
    });
}
