/**
 * Plays random scenarios on the whole product and judges them by its promises. The scenario of a seed
 * is always the same; how it goes depends on the moment as well.
 *
 *   npm run adversary -- --seeds 500 [--seed 1] [--at-once 6] [--until-broken] [--shrink]
 *     [--keep FOLDER]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { Lifecycle } from '../../src/runtime/lifecycle.js';
import { judge, type Judgement } from './judge/oracle.js';
import type { Scenario } from './scenarios/scenario.js';
import { scenarioOf, scenarios } from './scenarios/scenarios.js';
import { startWorld } from './play/servers.js';
import { play, type World } from './play/stage.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '6' },
    /** Ends with the first scenario that breaks a promise. */
    'until-broken': { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    /** Where what happened in broken scenarios is kept. */
    keep: { type: 'string' },
  },
});
const first = whole('seed', values.seed);
const seeds = Array.from({ length: whole('seeds', values.seeds) }, (_, n) => first + n);
const atOnce = whole('at-once', values['at-once']);

/** A scenario that fails once in so many times still fails. */
const SHRINK_TRIES = 2;
const SHRINK_WITHIN_MS = 20 * 60_000;

const lifecycle = new Lifecycle();
// Without its servers every scenario would seem broken.
lifecycle.stopOnSignals();
try {
  const world = await startWorld(lifecycle);
  const failed = await campaign(world);
  if (values.shrink && failed[0] !== undefined) await shrink(world, failed[0]);
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  await lifecycle.stop();
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`--${name} must be a whole number from 1; got "${text}"`);
}

/** @returns the seeds that broke a promise */
async function campaign(world: World): Promise<number[]> {
  const failed: number[] = [];
  const exposures: number[] = [];
  const gaps: number[] = [];
  const startedAt = Date.now();
  let played = 0;
  const left = [...seeds];
  const lane = async () => {
    for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
      const began = Date.now();
      const judgement = await judged(scenarioOf(seed), world, `seed-${seed}`);
      played += 1;
      exposures.push(...judgement.exposures);
      gaps.push(...judgement.gaps);
      if (judgement.violations.length > 0) failed.push(seed);
      if (failed.length > 0 && values['until-broken']) left.length = 0;
      report(seed, judgement, Date.now() - began);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, seeds.length) }, lane));
  const took = Math.round((Date.now() - startedAt) / 1_000);
  const broken = failed.length > 0 ? ` (${failed.sort((a, b) => a - b).join(', ')})` : '';
  console.log(
    `${played} seeds in ${took} s: ${failed.length} broke a promise${broken}\n` +
      `sent after a no that was not seen yet: ${spread(gaps)}\n` +
      `subscribed against a no and taken out again: ${spread(exposures)}`,
  );
  return failed;
}

function spread(times: readonly number[]): string {
  if (times.length === 0) return 'nobody';
  const sorted = [...times].sort((a, b) => a - b);
  const within = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
  const people = times.length === 1 ? '1 person' : `${times.length} people`;
  return `${people}, median ${within(0.5)} ms, 95 of 100 within ${within(0.95)} ms, longest ${within(1)} ms`;
}

async function judged(scenario: Scenario, world: World, name: string): Promise<Judgement> {
  try {
    const chronicle = await play(scenario, world);
    const judgement = judge(chronicle);
    if (judgement.violations.length > 0 && values.keep !== undefined) {
      await mkdir(values.keep, { recursive: true });
      await writeFile(join(values.keep, `${name}.json`), JSON.stringify(chronicle, null, 1));
    }
    return judgement;
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { violations: [{ rule: 'crashed', what }], exposures: [], gaps: [], summary: '' };
  }
}

function report(
  seed: number,
  { violations, exposures, gaps, summary }: Judgement,
  tookMs: number,
): void {
  const took = `${(tookMs / 1_000).toFixed(1)} s`;
  if (violations.length === 0) {
    const unseen = gaps.length === 0 ? '' : `, sent ${gaps.join(', ')} ms after a no`;
    const repaired = exposures.length === 0 ? '' : `, exposed for ${exposures.join(', ')} ms`;
    console.log(`seed ${seed}: kept, ${took}: ${summary}${unseen}${repaired}`);
    return;
  }
  console.log(`seed ${seed}: BROKEN, ${took}: ${summary}`);
  for (const { rule, what } of violations) console.log(`  ${rule}: ${what}`);
}

/** Looks for the smallest scenario that still breaks a promise. */
async function shrink(world: World, seed: number): Promise<void> {
  const holds = async (scenario: Scenario): Promise<boolean> => {
    for (let attempt = 0; attempt < SHRINK_TRIES; attempt += 1) {
      const { violations } = await judged(scenario, world, `shrunk-${seed}`);
      if (violations.length === 0) continue;
      console.log(`  still ${[...new Set(violations.map(({ rule }) => rule))].join(', ')}`);
      return false;
    }
    return true;
  };
  const found = await fc.check<[Scenario]>(fc.asyncProperty(scenarios, holds), {
    seed,
    numRuns: 1,
    plugins: [fc.interruptAfterTimeLimit(SHRINK_WITHIN_MS)],
  });
  console.log(JSON.stringify(found.counterexample?.[0] ?? 'It did not happen again.', null, 2));
}
