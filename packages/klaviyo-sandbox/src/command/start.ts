import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseFault, type Fault } from '../account/requests/fault.js';
import { populate, seedLines } from '../people/filling.js';
import { startSandbox, type Sandbox } from '../server.js';
import { DEFAULT_LISTS, SANDBOX_KEY } from '../settings/defaults.js';
import { parseLatency } from '../settings/latency.js';
import type { SandboxOptions } from '../settings/options.js';
import { parseSwitch } from '../settings/switches.js';
import { UsageError } from './usage-error.js';

export interface SandboxFlags {
  readonly port?: number;
  readonly host?: string;
  readonly speed?: number;
  readonly rateLimitFactor?: number;
  readonly delays?: 'klaviyo' | 'fast';
  readonly clicks?: number;
  readonly seed?: number;
  readonly profiles?: number;
  readonly seedFile?: string;
  readonly switch?: readonly string[];
  readonly fault?: readonly string[];
  readonly latency?: readonly string[];
  readonly exchanges?: string;
  readonly settings?: string;
  readonly json?: boolean;
}

/** Keys of a settings file, each as in `SandboxOptions`. */
const SETTINGS: Readonly<Record<Exclude<keyof SandboxOptions, 'onRequest'>, true>> = {
  port: true,
  host: true,
  apiKey: true,
  scopes: true,
  account: true,
  sms: true,
  lists: true,
  segments: true,
  seed: true,
  delays: true,
  speed: true,
  clockAheadMs: true,
  rateLimitFactor: true,
  clicks: true,
  filteredDomains: true,
  switches: true,
  latency: true,
  exchanges: true,
};

/**
 * Starts the sandbox with the flags' options, people and faults.
 *
 * @throws UsageError for a wrong flag or setting
 */
export async function openSandbox(flags: SandboxFlags): Promise<Sandbox> {
  const options = await optionsFrom(flags);
  const faults = parsed('--fault', flags.fault, parseFault);
  let sandbox: Sandbox;
  try {
    sandbox = await startSandbox(options);
  } catch (error) {
    throw startFailure(error, options);
  }
  try {
    if (flags.clicks !== undefined) sandbox.account.setClicks(flags.clicks);
    await fill(sandbox, flags);
    addFaults(sandbox, faults);
  } catch (error) {
    await sandbox.close();
    throw error;
  }
  return sandbox;
}

async function fill({ account }: Sandbox, { seedFile, profiles }: SandboxFlags): Promise<void> {
  try {
    if (seedFile !== undefined) await seedLines(account, createReadStream(seedFile));
  } catch (error) {
    throw usageError(`--seed-file ${seedFile}`, error);
  }
  try {
    if (profiles !== undefined) await populate(account, { profiles });
  } catch (error) {
    throw usageError(`--profiles ${profiles}`, error);
  }
}

function addFaults({ account }: Sandbox, faults: readonly Fault[]): void {
  try {
    for (const fault of faults) account.addFault(fault);
  } catch (error) {
    throw usageError('--fault', error);
  }
}

async function optionsFrom(flags: SandboxFlags): Promise<SandboxOptions> {
  const settings: SandboxOptions = {
    apiKey: SANDBOX_KEY,
    lists: [...DEFAULT_LISTS],
    ...(flags.settings === undefined ? {} : await readSettings(flags.settings)),
  };
  const { port, host, speed, rateLimitFactor, delays, seed, exchanges } = flags;
  const options = { port, host, speed, rateLimitFactor, delays, seed, exchanges };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const switches = parsed('--switch', flags.switch, parseSwitch);
  const latency = parsed('--latency', flags.latency, parseLatency);
  return {
    ...settings,
    ...(Object.fromEntries(given) as SandboxOptions),
    switches: Object.assign({}, settings.switches, ...switches) as object,
    ...(latency.length === 0 ? {} : { latency }),
  };
}

/** @throws UsageError naming the flag and what is wrong with one of its values */
function parsed<T>(flag: string, texts: readonly string[] = [], parse: (text: string) => T): T[] {
  return texts.map((text) => {
    try {
      return parse(text);
    } catch (error) {
      throw usageError(`${flag} ${text}`, error);
    }
  });
}

function usageError(where: string, error: unknown): unknown {
  if (!(error instanceof RangeError || (error instanceof Error && 'code' in error))) return error;
  return new UsageError(`${where}: ${error.message}.`, { cause: error });
}

function startFailure(error: unknown, { port, host }: SandboxOptions): unknown {
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
  let settings: unknown;
  try {
    settings = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`--settings ${path}: ${(error as Error).message}`, { cause: error });
  }
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw new UsageError(`--settings ${path}: the file must contain a JSON object.`);
  }
  const unknown = Object.keys(settings).find((name) => !Object.hasOwn(SETTINGS, name));
  if (unknown === undefined) return settings;
  const known = Object.keys(SETTINGS).join(', ');
  throw new UsageError(`--settings ${path}: there is no "${unknown}"; known are ${known}.`);
}
