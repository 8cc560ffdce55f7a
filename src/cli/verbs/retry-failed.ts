import type { Command } from 'commander';
import { parseRetry } from '../../starter/migrations/request/parse.js';
import { startedAloneWords } from '../render/next-steps.js';
import { counted } from '../render/quantities.js';
import { addRequestFlags, settingsGiven, type VerbFlags } from '../request-flags.js';
import { asFlags } from '../request-words.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

export function addRetryFailed(program: Command, terminal: Terminal): void {
  const verb = program
    .command('retry-failed')
    .description('start a new migration of the rows that another one did not achieve')
    .argument('<id>', 'id of a migration that has ended');
  addRequestFlags(verb, 'retry-failed')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Retries rows that are unconfirmed, were not sent, or that Klaviyo refused; everybody's consent is
read again first. Rows that the importer refused have to be fixed in the source. More than 1,000 rows
wait for consentry approve, unless --yes approves them beforehand.

Example:
  consentry retry-failed 20260102-1a2b3c4d`,
    )
    .action(async (id: string, flags: VerbFlags) => {
      const request = parseRetry(settingsGiven('retry-failed', flags), asFlags);
      await withConsentry(async (connected) => {
        const { consentry } = connected;
        const started = await consentry.migrations.retryFailed(id, request);
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
