import type { Command } from 'commander';
import { parseCountries } from './arguments.js';
import { Output, type Terminal } from './terminal.js';
import { withConsentry } from './with-consentry.js';

export function addRetryFailed(program: Command, terminal: Terminal): void {
  program
    .command('retry-failed')
    .description('start a migration of the rows of another one that were not achieved')
    .argument('<id>', 'id of a migration that has ended')
    .option('--sms-countries <codes>', 'countries with a sender, US,CA', parseCountries)
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Rows that were never seen, were not sent, or that Klaviyo refused are tried again; everybody's
consent is read anew before. What the importer refused has to be mended in the source.

Example:
  consentry retry-failed 20260102-1a2b3c4d`,
    )
    .action(async (id: string, flags: { smsCountries?: string[]; json?: boolean }) => {
      await withConsentry(async (connected) => {
        const { consentry } = connected;
        const started = await consentry.retryFailed(id, {
          smsCountries: flags.smsCountries ?? null,
        });
        const address = connected.webUi(started.id);
        new Output(terminal, flags.json ?? false).result(
          { ...started, webUi: address, retryOf: id },
          [
            `Migration ${started.id} started: ${started.rows} rows of ${id} again.`,
            ...(address === null ? [] : [`Web UI: ${address}`]),
            `See how far it is with: consentry status ${started.id}`,
          ].join('\n'),
        );
      });
    });
}
