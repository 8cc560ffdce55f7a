import type { Command } from 'commander';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

export function addApprove(program: Command, terminal: Terminal): void {
  program
    .command('approve')
    .description('approve a migration that waits after its plan: it starts sending')
    .argument('<id>', 'id of the migration')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  consentry approve 20260102-1a2b3c4d')
    .action(async (id: string, flags: { json?: boolean }) => {
      await withConsentry(async ({ consentry }) => {
        await consentry.migrations.approve(id);
        new Output(terminal, flags.json ?? false).result(
          { id, approved: true },
          `Migration ${id} starts sending. See how far it is with: consentry status ${id}`,
        );
      });
    });
}
