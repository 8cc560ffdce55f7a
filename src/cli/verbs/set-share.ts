import type { Command } from 'commander';
import { settingReader } from '../request-flags.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

export function addSetShare(program: Command, terminal: Terminal): void {
  program
    .command('set-share')
    .description('set how much of the account’s limits a running migration may use')
    .argument('<id>', 'id of the migration')
    .argument(
      '<share>',
      'above 0 to 1: 0.25 is a quarter of what Klaviyo allows',
      settingReader('share'),
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  consentry set-share 20260102-1a2b3c4d 0.25')
    .action(async (id: string, share: number, flags: { json?: boolean }) => {
      await withConsentry(async ({ consentry }) => {
        await consentry.migrations.setShare(id, share);
        new Output(terminal, flags.json ?? false).result(
          { id, share },
          `Migration ${id} uses at most ${share} of the account’s limits from now on.`,
        );
      });
    });
}
