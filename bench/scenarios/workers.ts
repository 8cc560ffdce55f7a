import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SandboxOptions } from 'klaviyo-sandbox';
import { progressLines } from '../../src/runtime/progress.js';
import type { ServerFacts } from '../measure/server-facts.js';
import type { Measured, RunOptions, Scenario } from '../scenario.js';
import { writePeople } from '../stack/people.js';
import { withServers, type SandboxAccount, type Servers } from '../stack/servers.js';
import { LIFTED, LIST, LISTS } from '../stack/stack.js';
import { callsAnswered, callsThrottled, totalOf } from '../stack/truth.js';
import { LIFTED_TIMING } from './lifted.js';

export const workers: Scenario = {
  name: 'workers',
  line: 'two and four workers of one account, and two accounts at once: limits and shares',
  rows: 100_000,
  flags: { lifted: 'without Klaviyo’s limits' },
  floors: [
    { figure: 'throttledShareMost', is: 'at most', limit: 0.005 },
    { figure: 'leastShareOfItsHalf', is: 'at least', limit: 0.4 },
    { figure: 'unconfirmedRows', is: 'at most', limit: 0 },
  ],
  run,
};

async function run({ rows, flags, note }: RunOptions): Promise<Measured> {
  // The limits are what is measured; waiting for minutes until people show adds nothing to it.
  const options = flags.has('lifted') ? LIFTED : ({ delays: 'fast' } as const);
  const runs: Ran[] = [];
  for (const count of [2, 4]) {
    note(`${count} workers of one account`);
    runs.push(await onStack(rows, options, [{ account: 'BenchA', workers: count }]));
  }
  note('two accounts with a worker each');
  const both = await onStack(rows, options, [
    { account: 'BenchA', workers: 1 },
    { account: 'BenchB', workers: 1 },
  ]);
  runs.push(both);
  const accounts = runs.flatMap((each) => each.accounts);
  return {
    servers: both.facts,
    figures: {
      rowsPerSecondOfTwoWorkers: (rows * 1_000) / runs[0]!.ms,
      rowsPerSecondOfFourWorkers: (rows * 1_000) / runs[1]!.ms,
      rowsPerSecondOfTwoAccounts: (2 * rows * 1_000) / both.ms,
      throttledCalls: accounts.reduce((sum, { throttled }) => sum + throttled, 0),
      throttledShareMost: Math.max(...accounts.map(({ throttled, calls }) => throttled / calls)),
      leastShareOfItsHalf: both.leastShareOfItsHalf,
      unconfirmedRows: accounts.reduce((sum, { unconfirmed }) => sum + unconfirmed, 0),
    },
    details: {
      accounts: runs.flatMap(({ label, accounts: ofRun }) =>
        ofRun.map((account) => ({ run: label, ...account })),
      ),
    },
  };
}

interface Ran {
  readonly label: string;
  readonly facts: ServerFacts;
  readonly ms: number;
  readonly accounts: readonly Counted[];
  /**
   * Accepted rows of the slower account as a share of half of all, when the faster one has sent
   * everything: 1 if both got the same. 1 for a single account.
   */
  readonly leastShareOfItsHalf: number;
}

interface Counted {
  readonly account: string;
  readonly workers: number;
  readonly seconds: number;
  readonly calls: number;
  readonly throttled: number;
  readonly throttledOperations: string;
  readonly unconfirmed: number;
}

interface Asked {
  readonly account: string;
  readonly workers: number;
}

function onStack(rows: number, options: SandboxOptions, asked: readonly Asked[]): Promise<Ran> {
  return withServers(async (servers) => {
    const file = join(servers.folder, 'people.csv');
    await writePeople(file, rows);
    const sandboxes: SandboxAccount[] = [];
    for (const each of asked) sandboxes.push(await startAccount(servers, options, each));
    const began = performance.now();
    const migrating = Promise.all(
      asked.map(async (each, index) => ({
        ...each,
        ...(await migrate(servers, file, rows, each.account, sandboxes[index]!)),
      })),
    );
    const [accounts, leastShareOfItsHalf] = await Promise.all([
      migrating,
      watchShares(sandboxes, rows, migrating),
    ]);
    const ms = performance.now() - began;
    return {
      label: asked.map(({ workers: count }) => `${count}`).join(' + '),
      facts: servers.facts,
      ms,
      accounts,
      leastShareOfItsHalf,
    };
  }, progressLines(process.stderr));
}

async function startAccount(
  servers: Servers,
  options: SandboxOptions,
  { account, workers: count }: Asked,
): Promise<SandboxAccount> {
  const sandbox = await servers.startSandbox({
    account: { id: account },
    apiKey: `pk_${account}`,
    lists: [...LISTS],
    ...options,
  });
  for (let n = 0; n < count; n += 1) await servers.startWorker(sandbox);
  return sandbox;
}

async function migrate(
  { connected }: Servers,
  file: string,
  rows: number,
  account: string,
  { control }: SandboxAccount,
): Promise<Omit<Counted, keyof Asked>> {
  const { migrations } = connected.consentry;
  const began = performance.now();
  const { id } = await migrations.start({
    file,
    account,
    listId: LIST,
    watchDays: 0,
    timing: LIFTED_TIMING,
  });
  await migrations.waitForEnd(id);
  const seconds = (performance.now() - began) / 1_000;
  const { outcomes } = await migrations.report(id);
  const throttled = await callsThrottled(control);
  return {
    seconds,
    calls: totalOf(await callsAnswered(control)),
    throttled: totalOf(throttled),
    throttledOperations: Object.keys(throttled).join(', '),
    unconfirmed: rows - (outcomes.confirmed ?? 0),
  };
}

const LOOK_EVERY_MS = 50;

async function watchShares(
  sandboxes: readonly SandboxAccount[],
  rows: number,
  migrating: Promise<unknown>,
): Promise<number> {
  const ended = migrating.then(() => true);
  for (;;) {
    const sent = await Promise.all(sandboxes.map(({ control }) => control.subscribedCount()));
    const isOver = await Promise.race([ended, delay(LOOK_EVERY_MS, false)]);
    if (Math.max(...sent) < rows && !isOver) continue;
    const half = sent.reduce((sum, of) => sum + of, 0) / sent.length;
    return half === 0 ? 0 : Math.min(...sent) / half;
  }
}
