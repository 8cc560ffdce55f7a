/**
 * Syncs the consent of an account while random things happen to its people, its worker and its
 * answers, and judges the customer's database by the account's truth. The scenario of a seed is always
 * the same; how it goes depends on the moment as well.
 *
 *   npm run syncs -- --seeds 50 [--seed 1] [--at-once 2] [--until-broken]
 *   npm run syncs -- --week [--hours 168] [--seed 1]
 */
import { parseArgs } from 'node:util';
import { Lifecycle } from '../../src/runtime/lifecycle.js';
import { startWorld } from '../adversary/play/servers.js';
import { findMariadb, startMariadb } from '../connectors/mariadb.js';
import { playSync, type SyncJudgement, type SyncWorldServers } from './campaign/play.js';
import { tellWeek } from './campaign/tell-week.js';
import { liveThrough } from './campaign/week.js';
import { scenarioOf } from './campaign/scenario.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '2' },
    /** Ends with the first scenario that breaks a promise. */
    'until-broken': { type: 'boolean', default: false },
    /** Lives through simulated hours instead. */
    week: { type: 'boolean', default: false },
    hours: { type: 'string', default: '168' },
  },
});
const first = whole('seed', values.seed);
const seeds = Array.from({ length: whole('seeds', values.seeds) }, (_, n) => first + n);
const atOnce = whole('at-once', values['at-once']);

const lifecycle = new Lifecycle();
// Without its servers every scenario would seem broken.
lifecycle.stopOnSignals();
try {
  const world = await servers();
  const isKept = values.week
    ? tellWeek(await liveThrough(whole('hours', values.hours), world, first))
    : (await campaign(world)).length === 0;
  process.exitCode = isKept ? 0 : 1;
} finally {
  await lifecycle.stop();
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`--${name} must be a whole number from 1; got "${text}"`);
}

async function servers(): Promise<SyncWorldServers> {
  const world = await startWorld(lifecycle);
  const program = findMariadb();
  if (program === null) {
    console.log('There is no MariaDB here: PostgreSQL takes its place.');
    return { ...world, mariadb: null };
  }
  const mariadb = await startMariadb(program);
  lifecycle.onStop('MariaDB', () => mariadb.stop());
  return { ...world, mariadb: mariadb.url };
}

/** @returns the seeds that broke a promise */
async function campaign(world: SyncWorldServers): Promise<number[]> {
  const failed: number[] = [];
  const startedAt = Date.now();
  let played = 0;
  const left = [...seeds];
  const lane = async () => {
    for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
      const began = Date.now();
      const judgement = await judged(seed, world);
      played += 1;
      if (judgement.violations.length > 0) failed.push(seed);
      if (failed.length > 0 && values['until-broken']) left.length = 0;
      report(seed, judgement, Date.now() - began);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, seeds.length) }, lane));
  const took = Math.round((Date.now() - startedAt) / 1_000);
  const broken = failed.length > 0 ? ` (${failed.sort((a, b) => a - b).join(', ')})` : '';
  console.log(`${played} seeds in ${took} s: ${failed.length} broke a promise${broken}`);
  return failed;
}

async function judged(seed: number, world: SyncWorldServers): Promise<SyncJudgement> {
  try {
    return await playSync(scenarioOf(seed), world, seed);
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { violations: [`crashed: ${what}`], summary: '' };
  }
}

function report(seed: number, { violations, summary }: SyncJudgement, tookMs: number): void {
  const took = `${(tookMs / 1_000).toFixed(1)} s`;
  console.log(`seed ${seed}: ${violations.length === 0 ? 'kept' : 'BROKEN'}, ${took}: ${summary}`);
  for (const violation of violations) console.log(`  ${violation}`);
  if (violations.length > 0) console.log(`  again: npm run syncs -- --seed ${seed} --seeds 1`);
}
