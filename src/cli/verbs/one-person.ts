import { Option, type Command } from 'commander';
import type { ConsentChannel, Operation } from '../../contracts/channels.js';
import { personOf } from '../person-argument.js';
import { settingReader } from '../request-flags.js';
import type { OnePersonFlags } from '../run/one-person.js';
import type { Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

interface Flags extends OnePersonFlags {
  readonly list?: string;
  readonly channels?: readonly ConsentChannel[];
  readonly from?: 'everything' | 'list';
  readonly floor?: 'unsubscribe';
  readonly optIn?: 'single' | 'double';
  readonly reason?: string;
  readonly country?: string;
  readonly account?: string;
}

interface OnePersonVerb {
  readonly name: string;
  readonly operation: Operation;
  readonly description: string;
  readonly flags: readonly ('list' | 'channels' | 'from' | 'floor' | 'optIn')[];
}

const VERBS: readonly OnePersonVerb[] = [
  {
    name: 'subscribe',
    operation: 'subscribe',
    description: 'subscribe one person, unless they opted out',
    flags: ['list', 'channels', 'optIn'],
  },
  {
    name: 'unsubscribe',
    operation: 'unsubscribe',
    description: 'unsubscribe one person from everything, or from a list alone',
    flags: ['list', 'channels', 'from'],
  },
  {
    name: 'suppress',
    operation: 'suppress',
    description: 'suppress one address: no mail, whatever the consent is',
    flags: ['floor'],
  },
  {
    name: 'unsuppress',
    operation: 'unsuppress',
    description: 'lift a suppression by hand; consent stays as it is',
    flags: [],
  },
  {
    name: 'add-to-list',
    operation: 'add_to_list',
    description: 'add one person to a list without consent, unless they opted out',
    flags: ['list'],
  },
  {
    name: 'remove-from-list',
    operation: 'remove_from_list',
    description: 'remove one person from a list; consent stays as it is',
    flags: ['list'],
  },
];

/** The settings of a migration that the verbs take, with their flags. */
const OPTIONS: Readonly<Record<OnePersonVerb['flags'][number], () => Option>> = {
  list: () => new Option('--list <id>', 'the list').argParser(settingReader('listId')),
  channels: () =>
    new Option(
      '--channels <names>',
      'channels (default: email for an address, sms for a number)',
    ).argParser(settingReader('channels')),
  from: () =>
    new Option('--from <what>', 'everything, or the list alone').choices(['everything', 'list']),
  floor: () =>
    new Option('--floor <operation>', 'unsubscribe as well, which counts at once').choices([
      'unsubscribe',
    ]),
  optIn: () =>
    new Option('--opt-in <process>', 'expected opt-in process').choices(['single', 'double']),
};

/** One verb for each operation on one person, for support staff. */
export function addOnePerson(program: Command, terminal: Terminal): void {
  for (const verb of VERBS) addVerb(program, terminal, verb);
}

function addVerb(program: Command, terminal: Terminal, verb: OnePersonVerb): void {
  const command = program
    .command(verb.name)
    .description(verb.description)
    .argument('<person>', 'e-mail address or phone number');
  for (const flag of verb.flags) command.addOption(OPTIONS[flag]());
  command
    .option(
      '--reason <text>',
      'why: kept in the ledger; Klaviyo stores it as the source of consent',
    )
    .option(
      '--country <code>',
      'country of a phone number without +, such as US',
      settingReader('country'),
    )
    .option('--account <id>', 'account, if workers for several accounts use the same ledger')
    .option('--yes', 'send without asking')
    .option('--json', 'print one JSON document')
    .action(async (argument: string, flags: Flags) => {
      const person = await personOf(argument, flags.country ?? null);
      const { runOnePerson } = await import('../run/one-person.js');
      const { list, channels, from, floor, optIn, reason, account } = flags;
      const change = {
        person,
        operation: verb.operation,
        listId: list,
        channels,
        unsubscribeFrom: from,
        floor,
        optIn,
        reason,
        account,
      };
      await withConsentry((connected) => runOnePerson(connected, change, flags, terminal));
    });
}
