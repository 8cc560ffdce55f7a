import type { Command } from 'commander';
import { parseCountries } from '../arguments.js';
import { startedAloneWords } from '../render/next-steps.js';
import { counted } from '../render/quantities.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

interface RetryFlags {
  readonly smsCountries?: string[];
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function addRetryFailed(program: Command, terminal: Terminal): void {
  program
    .command('retry-failed')
    .description('start a migration of the rows of another one that were not achieved')
    .argument('<id>', 'id of a migration that has ended')
    .option(
      '--sms-countries <codes>',
      'countries with a sender, where the key may not read them: US,CA',
      parseCountries,
    )
    .option('--yes', 'start without asking, whatever the number of rows')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Rows that were never seen, were not sent, or that Klaviyo refused are tried again; everybody's
consent is read anew before. What the importer refused has to be mended in the source. More than
1,000 rows wait for consentry approve, unless --yes is given.

Example:
  consentry retry-failed 20260102-1a2b3c4d`,
    )
    .action(async (id: string, flags: RetryFlags) => {
      await withConsentry(async (connected) => {
        const { consentry } = connected;
        const started = await consentry.migrations.retryFailed(id, {
          smsCountries: flags.smsCountries ?? null,
          confirm: flags.yes !== true,
        });
        const webUi = connected.webUi(started.id);
        new Output(terminal, flags.json ?? false).result(
          { ...started, webUi, retryOf: id },
          [
            `Migration ${started.id} started: ${counted(started.rows, 'row')} of ${id} that ${started.rows === 1 ? 'was' : 'were'} not achieved.`,
            ...(webUi === null ? [] : [`Web UI: ${webUi}`]),
            startedAloneWords(started.id, started.waitsForApproval),
          ].join('\n'),
        );
      });
    });
}
