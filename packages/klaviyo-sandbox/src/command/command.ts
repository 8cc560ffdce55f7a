import { Command, Option } from 'commander';
import { describeSandbox } from '../describe.js';
import type { Sandbox } from '../server.js';
import { DEFAULT_SWITCHES } from '../settings/options.js';
import { switchChoices } from '../settings/switches.js';
import { positive, repeated, share, wholeNumber } from './flags.js';
import type { SandboxFlags } from './start.js';
import { closeOnSignals } from './stop.js';
import { UsageError } from './usage-error.js';

/**
 * The command that runs a sandbox until a signal ends it, for use on its own or in another program.
 * `configureOutput` sets where it writes, and `exitOverride` how it exits.
 *
 * @param name of the command; commander puts the names of its parents before it
 */
export function sandboxCommand(name: string): Command {
  const command = new Command(name);
  return command
    .description('run a simulated Klaviyo until Ctrl-C, to try things without an account')
    .option('--port <number>', 'port (default: any free one)', wholeNumber(0, 65_535))
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--speed <factor>', 'divides delays and rate windows (default: 1)', positive)
    .option(
      '--rate-limit-factor <factor>',
      'multiplies Klaviyo’s rate limits (default: 1)',
      positive,
    )
    .addOption(
      new Option('--delays <kind>', 'how long changes take (default: klaviyo)').choices([
        'klaviyo',
        'fast',
      ]),
    )
    .option('--clicks <share>', 'share of people who confirm, 0 to 1 (default: 0.7)', share)
    .option('--seed <number>', 'seed of all randomness (default: 1)', wholeNumber(0))
    .option('--profiles <number>', 'number of generated people at the start', wholeNumber(1))
    .option('--seed-file <file>', 'NDJSON file with people at the start, one per line')
    .option('--switch <name=value>', 'the answer to an open question; see below', repeated)
    .option('--fault <fault>', 'fault to inject: 502:get_profiles:times=3', repeated)
    .option('--latency <latency>', 'how long answers take: uniform:from=50,to=400', repeated)
    .option('--exchanges <folder>', 'write every request and answer there, as NDJSON')
    .option(
      '--settings <file>',
      'JSON file with more settings: lists, sms, account, scopes, switches, ...',
    )
    .option('--json', 'print a JSON object on one line when it is ready')
    .addHelpText('after', () => `\n${switchHelp()}\n\nExample:\n  ${exampleOf(command)}`)
    .action(async (flags: SandboxFlags) => {
      const sandbox = await opened(command, flags);
      announce(command, sandbox, flags);
      await closeOnSignals(sandbox);
    });
}

async function opened(command: Command, flags: SandboxFlags): Promise<Sandbox> {
  // Imported only here, so that a program with this command among others starts no slower.
  const { openSandbox } = await import('./start.js');
  try {
    return await openSandbox(flags);
  } catch (error) {
    if (error instanceof UsageError) command.error(error.message, { exitCode: 2 });
    throw error;
  }
}

function announce(command: Command, sandbox: Sandbox, { host, json }: SandboxFlags): void {
  const output = command.configureOutput();
  if (host !== undefined && !isLoopback(host)) output.writeErr?.(`${OPEN_TO_OTHERS}\n`);
  const { url, apiKey, account } = sandbox;
  const lists = account.lists
    .all()
    .map((list) => ({ id: list.id, name: list.name, opt_in_process: list.optIn }));
  const profiles = account.profiles.size;
  const ready = JSON.stringify({ event: 'ready', url, apiKey, lists, profiles });
  const words = [
    describeSandbox(sandbox),
    '',
    'Lists:',
    ...lists.map(({ id, name }) => `  ${id}  ${name}`),
    ...(profiles === 0 ? [] : ['', `People: ${profiles}`]),
    '',
    'Ctrl-C stops it.',
  ];
  output.writeOut?.(`${json ? ready : words.join('\n')}\n`);
}

const OPEN_TO_OTHERS =
  'Warning: other machines can reach this sandbox, and its key is public. Do not use real ' +
  'people’s data. Its control calls only answer this machine.';

/** The full command as typed: `consentry sandbox` if this is a part of `consentry`. */
function exampleOf(command: Command): string {
  const names: string[] = [];
  for (let part: Command | null = command; part !== null; part = part.parent) {
    names.unshift(part.name());
  }
  return `${names.join(' ')} --port 8080 --delays fast --profiles 1000 --switch duplicateRows=reject`;
}

function switchHelp(): string {
  const choices = switchChoices();
  const width = Math.max(...choices.map(({ name }) => name.length));
  const lines = choices.map(
    ({ name, values }) =>
      `  ${name.padEnd(width)}  ${values} (default: ${String(DEFAULT_SWITCHES[name])})`,
  );
  return ['Switches:', ...lines].join('\n');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}
