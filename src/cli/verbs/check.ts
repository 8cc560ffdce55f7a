import type { Command } from 'commander';
import { parseCheck } from '../../starter/migrations/request/parse.js';
import { renderPreflight } from '../render/preflight.js';
import { addRequestFlags, settingsGiven, type VerbFlags } from '../request-flags.js';
import { asFlags } from '../request-words.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

const READY =
  'The account is ready for a run with these flags. To check the rows: migrate --dry-run.';

export function addCheck(program: Command, terminal: Terminal): void {
  const verb = program
    .command('check')
    .description('check key, list, opt-in process and SMS as a migration does; send nothing');
  addRequestFlags(verb, 'check')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  consentry check --list XyZ123 --opt-in double')
    .action(async (flags: VerbFlags) => {
      const output = new Output(terminal, flags.json ?? false);
      const request = parseCheck(settingsGiven('check', flags), asFlags);
      await withConsentry(async ({ consentry }) => {
        const preflight = await consentry.migrations.check(request);
        output.result(preflight, `${renderPreflight(preflight)}\n\n${READY}`);
      });
    });
}
