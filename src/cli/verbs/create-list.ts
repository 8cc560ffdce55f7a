import { Option, type Command } from 'commander';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

interface CreateListFlags {
  readonly optIn: 'single' | 'double';
  readonly account?: string;
  readonly json?: boolean;
}

export function addCreateList(program: Command, terminal: Terminal): void {
  program
    .command('create-list')
    .description('create a list with an opt-in process, unless the account has it')
    .argument('<name>', 'name of the list')
    .addOption(
      new Option('--opt-in <process>', 'opt-in process of the list')
        .choices(['single', 'double'])
        .makeOptionMandatory(),
    )
    .option('--account <id>', 'account, if workers for several accounts use the same ledger')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  consentry create-list "Ambassadors" --opt-in double')
    .action(async (name: string, { optIn, account, json }: CreateListFlags) => {
      await withConsentry(async ({ consentry }) => {
        const list = await consentry.lists.create({ name, optIn, account: account ?? null });
        new Output(terminal, json ?? false).result(
          list,
          list.created
            ? `Created the ${optIn} opt-in list "${list.name}": ${list.id}.`
            : `The account has the ${optIn} opt-in list "${list.name}" already: ${list.id}. Nothing was created.`,
        );
      });
    });
}
