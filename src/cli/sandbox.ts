import { Option, type Command } from 'commander';
import { Lifecycle } from '../runtime/lifecycle.js';
import type { Sandbox } from '../sandbox/index.js';
import { DEFAULT_SWITCHES } from '../sandbox/options.js';
import { switchChoices } from '../sandbox/switches.js';
import { parsePositive, parseShare, wholeNumber } from './arguments.js';
import { openSandbox, type SandboxFlags } from './sandbox-start.js';
import { Output, type Terminal } from './terminal.js';

const repeated = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
];

export function addSandbox(program: Command, terminal: Terminal): void {
  program
    .command('sandbox')
    .description('run a simulated Klaviyo until Ctrl-C, to try things without an account')
    .option('--port <number>', 'port (default: any free one)', wholeNumber(0, 65_535))
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--speed <factor>', 'divides delays and rate windows (default: 1)', parsePositive)
    .option(
      '--rate-limit-factor <factor>',
      'multiplies Klaviyo’s rate limits (default: 1)',
      parsePositive,
    )
    .addOption(
      new Option('--delays <kind>', 'how long things take (default: klaviyo)').choices([
        'klaviyo',
        'fast',
      ]),
    )
    .option('--clicks <share>', 'share of people who confirm, 0 to 1 (default: 0.7)', parseShare)
    .option('--seed <number>', 'what all chance follows from (default: 1)', wholeNumber(0))
    .option('--profiles <number>', 'made-up people to begin with', wholeNumber(1))
    .option('--seed-file <file>', 'NDJSON file with people to begin with, one a line')
    .option('--switch <name=value>', 'how an open question is answered; see below', repeated)
    .option('--fault <fault>', 'something that goes wrong: 502:get_profiles:times=3', repeated)
    .option('--latency <latency>', 'how long answers take: uniform:from=50,to=400', repeated)
    .option('--exchanges <folder>', 'write every request and answer there, as NDJSON')
    .option('--settings <file>', 'JSON file with more: lists, sms, account, scopes, switches, ...')
    .option('--json', 'print a JSON object on one line when it is ready')
    .addHelpText('after', () => `\n${switchHelp()}\n\nExample:\n  ${EXAMPLE}`)
    .action(async (flags: SandboxFlags) => {
      const output = new Output(terminal, flags.json ?? false);
      const lifecycle = new Lifecycle();
      const { describeSandbox } = await import('../sandbox/index.js');
      const sandbox = await openSandbox(flags);
      lifecycle.onStop('sandbox', () => sandbox.close());
      if (flags.host !== undefined && !isLoopback(flags.host)) output.note(OPEN_TO_OTHERS);
      const lists = listsOf(sandbox);
      const { url, apiKey, account } = sandbox;
      output.event(
        { event: 'ready', url, apiKey, lists, profiles: account.profiles.size },
        [describeSandbox(sandbox), '', ...listLines(sandbox), '', 'Ctrl-C stops it.'].join('\n'),
      );
      lifecycle.stopOnSignals();
      await new Promise(() => undefined);
    });
}

const EXAMPLE =
  'consentry sandbox --port 8080 --delays fast --profiles 1000 --switch duplicateRows=reject';

const OPEN_TO_OTHERS =
  'Warning: other machines can reach this sandbox. It checks a key that everybody knows; keep ' +
  'people’s real data out of it. Its control calls answer this machine only.';

function switchHelp(): string {
  const choices = switchChoices();
  const width = Math.max(...choices.map(({ name }) => name.length));
  const lines = choices.map(
    ({ name, values }) =>
      `  ${name.padEnd(width)}  ${values} (default: ${String(DEFAULT_SWITCHES[name])})`,
  );
  return ['Switches:', ...lines].join('\n');
}

function listsOf({ account }: Sandbox): { id: string; name: string; opt_in_process: string }[] {
  return account.lists.all().map(({ id, name, optIn }) => ({ id, name, opt_in_process: optIn }));
}

function listLines(sandbox: Sandbox): string[] {
  const people = sandbox.account.profiles.size;
  return [
    'Lists:',
    ...listsOf(sandbox).map(({ id, name }) => `  ${id}  ${name}`),
    ...(people === 0 ? [] : ['', `People: ${people}`]),
  ];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}
