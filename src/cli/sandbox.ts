import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { Lifecycle } from '../runtime/lifecycle.js';
import type { Sandbox, SandboxOptions } from '../sandbox/index.js';
import { parsePositive, parseShare, wholeNumber } from './arguments.js';
import { UsageError } from './ended.js';
import { Output, type Terminal } from './terminal.js';

interface SandboxFlags {
  readonly port?: number;
  readonly host?: string;
  readonly speed?: number;
  readonly delays?: 'klaviyo' | 'fast';
  readonly clicks?: number;
  readonly seed?: number;
  readonly settings?: string;
  readonly json?: boolean;
}

/** No secret: whoever can reach a sandbox may use it. */
export const SANDBOX_KEY = 'pk_sandbox';

/** Lists of a sandbox; the same at every start, so that commands can be repeated. */
export const DEFAULT_LISTS = [
  { id: 'Single', name: 'Newsletter, single opt-in', opt_in_process: 'single_opt_in' },
  { id: 'Double', name: 'Newsletter, double opt-in', opt_in_process: 'double_opt_in' },
] as const;

export function addSandbox(program: Command, terminal: Terminal): void {
  program
    .command('sandbox')
    .description('run a simulated Klaviyo until Ctrl-C, to try things without an account')
    .option('--port <number>', 'port (default: any free one)', wholeNumber(0, 65_535))
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--speed <factor>', 'divides delays and rate windows (default: 1)', parsePositive)
    .addOption(
      new Option('--delays <kind>', 'how long things take (default: klaviyo)').choices([
        'klaviyo',
        'fast',
      ]),
    )
    .option('--clicks <share>', 'share of people who confirm, 0 to 1 (default: 0.7)', parseShare)
    .option('--seed <number>', 'what all chance follows from (default: 1)', wholeNumber(0))
    .option('--settings <file>', 'JSON file with more: lists, sms, account, scopes, switches, ...')
    .option('--json', 'print a JSON object on one line when it is ready')
    .addHelpText('after', '\nExample:\n  consentry sandbox --port 8080 --delays fast')
    .action(async (flags: SandboxFlags) => {
      const output = new Output(terminal, flags.json ?? false);
      const lifecycle = new Lifecycle();
      const { describeSandbox } = await import('../sandbox/index.js');
      const sandbox = await openSandbox(flags);
      lifecycle.onStop('sandbox', () => sandbox.close());
      if (flags.host !== undefined && !isLoopback(flags.host)) output.note(OPEN_TO_OTHERS);
      output.event(
        { event: 'ready', url: sandbox.url, apiKey: sandbox.apiKey, lists: listsOf(sandbox) },
        [describeSandbox(sandbox), '', listLines(sandbox), '', 'Ctrl-C stops it.'].join('\n'),
      );
      lifecycle.stopOnSignals();
      await new Promise(() => undefined);
    });
}

const OPEN_TO_OTHERS =
  'Warning: other machines can reach this sandbox. It checks a key that everybody knows; keep ' +
  'people’s real data out of it. Its control calls answer this machine only.';

async function openSandbox(flags: SandboxFlags): Promise<Sandbox> {
  const { startSandbox } = await import('../sandbox/index.js');
  const settings: SandboxOptions = {
    apiKey: SANDBOX_KEY,
    lists: [...DEFAULT_LISTS],
    ...(flags.settings === undefined ? {} : await readSettings(flags.settings)),
  };
  const { port, host, speed, delays, seed } = flags;
  const given = Object.fromEntries(
    Object.entries({ port, host, speed, delays, seed }).filter(([, value]) => value !== undefined),
  );
  let sandbox: Sandbox;
  try {
    sandbox = await startSandbox({ ...settings, ...given });
  } catch (error) {
    throw startFailure(error, flags);
  }
  if (flags.clicks !== undefined) sandbox.account.setClicks(flags.clicks);
  return sandbox;
}

function startFailure(error: unknown, { port, host }: SandboxFlags): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof RangeError)
    return new UsageError(`The sandbox cannot start: ${error.message}.`);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') {
    return new UsageError(
      `Port ${port ?? 0} is taken: choose another with --port, or leave it out.`,
    );
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new UsageError(`This machine has no address ${host ?? ''}: correct --host.`);
  }
  return error;
}

async function readSettings(path: string): Promise<SandboxOptions> {
  try {
    const settings: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof settings === 'object' && settings !== null && !Array.isArray(settings))
      return settings;
  } catch (error) {
    throw new UsageError(`--settings ${path}: ${(error as Error).message}`, { cause: error });
  }
  throw new UsageError(`--settings ${path}: the file must hold a JSON object.`);
}

function listsOf({ account }: Sandbox): { id: string; name: string; opt_in_process: string }[] {
  return account.lists.all().map(({ id, name, optIn }) => ({ id, name, opt_in_process: optIn }));
}

function listLines(sandbox: Sandbox): string {
  const lines = listsOf(sandbox).map(({ id, name }) => `  ${id}  ${name}`);
  return ['Lists:', ...lines].join('\n');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}
