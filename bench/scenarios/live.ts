import { DELAYS } from 'klaviyo-sandbox';
import type { Measured, Scenario } from '../scenario.js';
import {
  curvesOfRun,
  detailsOfRun,
  figuresOfRun,
  leastTimeOf,
  runMigration,
  type MigrationRun,
} from '../stack/migration-run.js';
import { withStack, type BenchStack } from '../stack/stack.js';

export const live: Scenario = {
  name: 'live',
  line: 'a migration at Klaviyo’s limits and delays, compared with the least that its calls take',
  rows: 100_000,
  flags: { historical: 'back-dated consent, which shows after up to 20 minutes instead of 3' },
  floors: [
    { figure: 'timesTheLeast', is: 'at most', limit: 1.1 },
    { figure: 'throttledShare', is: 'at most', limit: 0.005 },
    { figure: 'unconfirmedRows', is: 'at most', limit: 0 },
  ],
  run: ({ rows, flags, note }) =>
    withStack(rows, {}, async (stack) => {
      const historical = flags.has('historical');
      note(`migrating ${rows} people`);
      return measuredAtLimits(stack, await runMigration(stack, { historical }), historical);
    }),
};

/** The figures of a run, compared with the least time that its own calls take. */
export function measuredAtLimits(
  { facts }: Pick<BenchStack, 'facts'>,
  run: MigrationRun,
  historical = false,
): Measured {
  const leastMs = leastTimeOf(run.report);
  const { subscribeHistorical, subscribeLive } = DELAYS.klaviyo;
  const [, delayMs] = historical ? subscribeHistorical : subscribeLive;
  return {
    servers: facts,
    figures: {
      ...figuresOfRun(run),
      leastSecondsOfItsCalls: leastMs / 1_000,
      longestDelaySeconds: delayMs / 1_000,
      timesTheLeast: run.runMs / (leastMs + delayMs),
    },
    details: detailsOfRun(run),
    curves: curvesOfRun(run),
  };
}
