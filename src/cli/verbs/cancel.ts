import type { Command } from 'commander';
import { renderReport } from '../render/report.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

export function addCancel(program: Command, terminal: Terminal): void {
  program
    .command('cancel')
    .description('submit nothing more, settle what was sent, and end')
    .argument('<id>', 'id of the migration')
    .option('--no-wait', 'do not wait for the end: settling takes up to the deadline of the run')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  consentry cancel 20260102-1a2b3c4d')
    .action(async (id: string, flags: { wait: boolean; json?: boolean }) => {
      const output = new Output(terminal, flags.json ?? false);
      await withConsentry(async ({ consentry }) => {
        await consentry.migrations.cancel(id);
        if (!flags.wait) {
          output.result(
            { id, phase: 'cancelling' },
            `Migration ${id} is being cancelled. See how far it is with: consentry status ${id}`,
          );
          return;
        }
        output.note(`Cancelling ${id}: reading back what was sent. Ctrl-C only stops waiting.`);
        await consentry.migrations.waitForEnd(id);
        const report = await consentry.migrations.report(id);
        output.result(report, renderReport(report));
      });
    });
}
