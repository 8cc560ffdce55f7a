import type { Command } from 'commander';
import type { PersonConsent } from '../../contracts/person.js';
import { Ended } from '../ended.js';
import type { ExitCode } from '../exit-codes.js';
import { personOf } from '../person-argument.js';
import { renderPerson } from '../render/person.js';
import { settingReader } from '../request-flags.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

interface ShowFlags {
  readonly account?: string;
  readonly country?: string;
  readonly ledger?: boolean;
  readonly json?: boolean;
}

export function addShow(program: Command, terminal: Terminal): void {
  program
    .command('show')
    .description(
      "show one person: Klaviyo's consent now, and everything that was ever done about them",
    )
    .argument('<person>', 'e-mail address or phone number')
    .option(
      '--country <code>',
      'country of a phone number without +, such as US',
      settingReader('country'),
    )
    .option('--account <id>', 'account, if workers for several accounts use the same ledger')
    .option('--ledger', 'show only what the ledger has; do not ask Klaviyo')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  consentry show ada@example.com\n  consentry show +12015550123 --json\n  consentry show "(201) 555-0123" --country US',
    )
    .action(async (argument: string, flags: ShowFlags) => {
      const output = new Output(terminal, flags.json ?? false);
      const person = await personOf(argument, flags.country ?? null);
      await withConsentry(async ({ consentry }) => {
        const history = await consentry.people.history(person);
        const live =
          flags.ledger === true
            ? { klaviyo: null, failure: null, exitCode: null }
            : await readLive(consentry.people.liveConsent(person, flags.account ?? null));
        const { klaviyo, failure, exitCode } = live;
        output.result(
          { person, klaviyo, failure, history },
          renderPerson({ person, klaviyo, failure, history }),
        );
        if (exitCode === null) return;
        output.note(failure);
        throw new Ended(exitCode);
      });
    });
}

type Live =
  | { readonly klaviyo: PersonConsent; readonly failure: null; readonly exitCode: null }
  | { readonly klaviyo: null; readonly failure: string; readonly exitCode: ExitCode };

/** What Klaviyo says, or why it could not be asked; the ledger's proof is shown either way. */
async function readLive(reading: Promise<PersonConsent>): Promise<Live> {
  try {
    return { klaviyo: await reading, failure: null, exitCode: null };
  } catch (error) {
    const { failureOf } = await import('../failure.js');
    const { message: failure, exitCode } = failureOf(error);
    return { klaviyo: null, failure, exitCode };
  }
}
