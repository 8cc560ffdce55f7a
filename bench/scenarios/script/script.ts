import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DELAYS, type SandboxOptions } from 'klaviyo-sandbox';
import { progressLines } from '../../../src/runtime/progress.js';
import { childEnvironment } from '../../../src/runtime/config.js';
import { programAt } from '../../measure/machine.js';
import type { Measured, RunOptions, Scenario } from '../../scenario.js';
import { withServers, type SandboxAccount, type Servers } from '../../stack/servers.js';
import { LIFTED, LIST, LISTS } from '../../stack/stack.js';
import {
  callsAnswered,
  callsThrottled,
  differencesOf,
  lastSubscribeAt,
  totalOf,
} from '../../stack/truth.js';
import { LIFTED_TIMING } from '../lifted.js';
import { countWrongRows, knownBefore, writeSource, type WrongRows } from './source.js';

const run = promisify(execFile);

export const script: Scenario = {
  name: 'script',
  line: 'the same rows through a careful script on Klaviyo’s client, and through Consentry',
  rows: 100_000,
  flags: { lifted: 'without Klaviyo’s limits and delays' },
  floors: [
    { figure: 'consentryWrongRows', is: 'at most', limit: 0 },
    { figure: 'consentryLedgerDifferences', is: 'at most', limit: 0 },
  ],
  run: compare,
};

async function compare({ rows, flags, note }: RunOptions): Promise<Measured> {
  const missing = await whyNoClient();
  if (missing !== null) return { figures: {}, servers: null, skipped: missing };
  const isLifted = flags.has('lifted');
  return withServers(async (servers) => {
    const file = join(servers.folder, 'people.csv');
    await writeSource(file, rows);
    const options = isLifted ? LIFTED : {};
    note('the script');
    const byScript = await runScript(await filled(servers, rows, options), file, rows);
    note('Consentry');
    const byConsentry = await runConsentry(servers, file, rows, options, isLifted);
    return {
      servers: servers.facts,
      figures: { ...named('script', byScript), ...named('consentry', byConsentry) },
      details: {
        'side by side': Object.keys(byScript.shown).map((what) => ({
          what,
          script: byScript.shown[what],
          Consentry: byConsentry.shown[what],
        })),
        'what the script counted': byScript.counted,
        'outcomes of Consentry': byConsentry.counted,
      },
    };
  }, progressLines(process.stderr));
}

/** It is a dependency of the sandbox's tests, which an installation for production leaves out. */
async function whyNoClient(): Promise<string | null> {
  try {
    await import('klaviyo-api');
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return 'Klaviyo’s client (klaviyo-api) is not installed: run "npm ci --include=dev".';
  }
}

/** A new sandbox with the same people in it: both programs find the same account. */
async function filled(
  servers: Servers,
  rows: number,
  options: SandboxOptions,
): Promise<SandboxAccount> {
  const sandbox = await servers.startSandbox({ lists: [...LISTS], ...options });
  await sandbox.control.seed(knownBefore(rows));
  return sandbox;
}

interface Side {
  readonly ms: number;
  /** Until the last subscribe call was answered. */
  readonly sentMs: number;
  readonly calls: Readonly<Record<string, number>>;
  readonly throttled: number;
  readonly wrong: WrongRows;
  readonly counted: Readonly<Record<string, unknown>>;
  readonly shown: Readonly<Record<string, number>>;
}

async function runScript(sandbox: SandboxAccount, file: string, rows: number): Promise<Side> {
  const program = programAt('scenarios/script/plain-script');
  const startedAt = Date.now();
  const { stdout } = await run(
    process.execPath,
    [...process.execArgv, program, file, LIST, sandbox.url, sandbox.apiKey],
    { env: childEnvironment() },
  );
  const ms = Date.now() - startedAt;
  // The script ends when everything was accepted; what Klaviyo makes of it shows later.
  await sandbox.control.advance(DELAYS.klaviyo.subscribeLive[1]);
  const counted = JSON.parse(stdout) as Record<string, unknown>;
  return sideOf(sandbox, rows, { startedAt, ms, counted });
}

const CUSTOM_SOURCE = 'bench script';

async function runConsentry(
  servers: Servers,
  file: string,
  rows: number,
  options: SandboxOptions,
  isLifted: boolean,
): Promise<Side & { readonly differences: number }> {
  const sandbox = await filled(servers, rows, options);
  await servers.startWorker(sandbox);
  const { connected } = servers;
  const { migrations } = connected.consentry;
  const before = await sandbox.control.truth();
  const startedAt = new Date();
  const { id } = await migrations.start({
    file,
    listId: LIST,
    watchDays: 0,
    customSource: CUSTOM_SOURCE,
    ...(isLifted ? { timing: LIFTED_TIMING } : {}),
  });
  await migrations.waitForEnd(id);
  const ms = Date.now() - startedAt.getTime();
  const { outcomes } = await migrations.report(id);
  const compared = { id, customSource: CUSTOM_SOURCE, startedAt, before };
  const differences = await differencesOf({ sandbox: sandbox.control, connected }, compared);
  return {
    ...(await sideOf(sandbox, rows, {
      startedAt: startedAt.getTime(),
      ms,
      counted: { ...outcomes },
    })),
    differences: differences.length,
  };
}

async function sideOf(
  { control }: SandboxAccount,
  rows: number,
  { startedAt, ms, counted }: { readonly startedAt: number } & Pick<Side, 'ms' | 'counted'>,
): Promise<Side> {
  const sentMs = ((await lastSubscribeAt(control)) ?? startedAt) - startedAt;
  const calls = await callsAnswered(control);
  const throttled = totalOf(await callsThrottled(control));
  const wrong = countWrongRows(rows, await control.truth());
  const shown = {
    'everything sent after (s)': sentMs / 1_000,
    // Consentry's includes Klaviyo's delay, since it reads back what became of everybody.
    'ended after (s)': ms / 1_000,
    calls: totalOf(calls),
    'answered 429': throttled,
    'wrong rows': wrong.all,
    'opted out, subscribed again': wrong['opted out'],
    'suppressed, no longer': wrong.suppressed,
    'consented, not subscribed': wrong.consented,
    'no address, but a profile': wrong.invalid,
  };
  return { ms, sentMs, calls, throttled, wrong, counted, shown };
}

function named(
  who: 'script' | 'consentry',
  side: Side & { readonly differences?: number },
): Record<string, number> {
  return {
    [`${who}Seconds`]: side.ms / 1_000,
    [`${who}SentSeconds`]: side.sentMs / 1_000,
    [`${who}Calls`]: totalOf(side.calls),
    [`${who}ThrottledCalls`]: side.throttled,
    [`${who}WrongRows`]: side.wrong.all,
    ...(side.differences === undefined ? {} : { [`${who}LedgerDifferences`]: side.differences }),
  };
}
