import type { Measured, Scenario } from '../scenario.js';
import {
  curvesOfRun,
  detailsOfRun,
  figuresOfRun,
  runMigration,
  type MigrationRun,
} from '../stack/migration-run.js';
import { LIFTED, withStack, type BenchStack } from '../stack/stack.js';

/** Klaviyo shows people within milliseconds here, so the reader need not wait for seconds. */
export const LIFTED_TIMING = { readEveryMs: 500 };

export const lifted: Scenario = {
  name: 'lifted',
  line: 'a migration without Klaviyo’s limits and delays: only the work of all processes',
  rows: 100_000,
  floors: [
    { figure: 'rowsPerSecond', is: 'at least', limit: 1.5, times: 'before' },
    { figure: 'microsecondsPerRow', is: 'at most', limit: 1.3, times: 'scales' },
    { figure: 'unconfirmedRows', is: 'at most', limit: 0 },
  ],
  run: ({ rows, note }) =>
    withStack(rows, LIFTED, async (stack) => {
      note(`migrating ${rows} people`);
      return measured(stack, await runMigration(stack, { timing: LIFTED_TIMING }));
    }),
};

/** The figures of a run, with what explains them. */
export function measured({ facts }: Pick<BenchStack, 'facts'>, run: MigrationRun): Measured {
  return {
    servers: facts,
    figures: figuresOfRun(run),
    details: detailsOfRun(run),
    curves: curvesOfRun(run),
  };
}
