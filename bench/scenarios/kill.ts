import { setTimeout as delay } from 'node:timers/promises';
import type { Measured, RunOptions, Scenario } from '../scenario.js';
import { LIFTED, LIST, withStack, type BenchStack } from '../stack/stack.js';
import { callsAnswered, differencesOf, totalOf } from '../stack/truth.js';
import { LIFTED_TIMING } from './lifted.js';
import type { ServerFacts } from '../measure/server-facts.js';

export const kill: Scenario = {
  name: 'kill',
  line: 'SIGKILL of the only worker when half is sent, and a new one at once',
  rows: 100_000,
  flags: { lifted: 'without Klaviyo’s limits and delays' },
  floors: [
    { figure: 'wrongRows', is: 'at most', limit: 0 },
    { figure: 'unconfirmedRows', is: 'at most', limit: 0 },
  ],
  run,
};

const CUSTOM_SOURCE = 'bench kill';

async function run({ rows, flags, note }: RunOptions): Promise<Measured> {
  const play = (kills: boolean): Promise<Played> =>
    withStack(rows, flags.has('lifted') ? LIFTED : {}, (stack) =>
      migrate(stack, rows, flags.has('lifted'), kills),
    );
  note('a run without a kill');
  const whole = await play(false);
  note('a run whose worker is killed');
  const killed = await play(true);
  const operations = [...new Set([...Object.keys(whole.calls), ...Object.keys(killed.calls)])];
  return {
    servers: killed.facts,
    figures: {
      secondsFromKillToNextSubmit: killed.nextSubmitMs === null ? null : killed.nextSubmitMs / 1e3,
      secondsWithoutKill: whole.ms / 1_000,
      seconds: killed.ms / 1_000,
      secondsLost: (killed.ms - whole.ms) / 1_000,
      extraCalls: totalOf(killed.calls) - totalOf(whole.calls),
      extraSubmits: submits(killed) - submits(whole),
      wrongRows: killed.wrongRows,
      unconfirmedRows: killed.unconfirmed,
    },
    details: {
      'calls that the sandbox answered': operations.map((operation) => ({
        operation,
        'without a kill': whole.calls[operation] ?? 0,
        'with a kill': killed.calls[operation] ?? 0,
      })),
    },
  };
}

interface Played {
  readonly facts: ServerFacts;
  readonly ms: number;
  /** Null without a kill. */
  readonly nextSubmitMs: number | null;
  readonly calls: Readonly<Record<string, number>>;
  readonly wrongRows: number;
  readonly unconfirmed: number;
}

async function migrate(
  stack: BenchStack,
  rows: number,
  isLifted: boolean,
  kills: boolean,
): Promise<Played> {
  const { file, sandbox, connected, facts } = stack;
  const { migrations } = connected.consentry;
  const startedAt = new Date();
  const before = await sandbox.truth();
  const began = performance.now();
  const { id } = await migrations.start({
    file,
    listId: LIST,
    watchDays: 0,
    customSource: CUSTOM_SOURCE,
    ...(isLifted ? { timing: LIFTED_TIMING } : {}),
  });
  const nextSubmitMs = kills ? await killHalfWay(stack, rows) : null;
  await migrations.waitForEnd(id);
  const ms = performance.now() - began;
  const { outcomes } = await migrations.report(id);
  const run = { id, customSource: CUSTOM_SOURCE, startedAt, before };
  return {
    facts,
    ms,
    nextSubmitMs,
    calls: await callsAnswered(sandbox),
    wrongRows: (await differencesOf(stack, run)).length,
    unconfirmed: rows - (outcomes.confirmed ?? 0),
  };
}

/** A new worker needs longer than this to start; what is accepted sooner was sent by the old one. */
const ON_THE_WAY_MS = 200;
const LOOK_EVERY_MS = 20;

/**
 * @returns ms from the kill to the next subscribe call that was accepted
 * @throws Error if everything had been sent when the worker was killed
 */
async function killHalfWay(stack: BenchStack, rows: number): Promise<number> {
  const { sandbox, servers, klaviyo, workerPid } = stack;
  while ((await sandbox.subscribedCount()) < rows / 2) await delay(LOOK_EVERY_MS);
  process.kill(workerPid, 'SIGKILL');
  const killedAt = performance.now();
  const starting = servers.startWorker(klaviyo);
  await delay(ON_THE_WAY_MS);
  const sent = await sandbox.subscribedCount();
  if (sent >= rows) throw new Error('Everything was sent before the kill: give more --rows.');
  let nextAt: number | null = null;
  while (nextAt === null) {
    if ((await sandbox.subscribedCount()) > sent) nextAt = performance.now();
    else await delay(LOOK_EVERY_MS);
  }
  await starting;
  return nextAt - killedAt;
}

const submits = ({ calls }: Played): number => calls['bulk_subscribe_profiles'] ?? 0;
