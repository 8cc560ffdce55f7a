import { writeFile } from 'node:fs/promises';
import type { Scenario } from '../scenario.js';
import { runMigration, type MigrationRun } from '../stack/migration-run.js';
import { addressOf } from '../stack/people.js';
import { LIFTED, withStack, type BenchStack } from '../stack/stack.js';
import { LIFTED_TIMING, measured } from './lifted.js';
import { measuredAtLimits } from './live.js';

/** One in so many people has a profile before the run. */
const KNOWN_ONE_IN = 10;

/** What has just changed is read again by every run. */
const LONG_AGO = '2023-01-01T00:00:00Z';

export const liftedMirror: Scenario = {
  name: 'lifted-mirror',
  line: 'the same as lifted, after another run has read the whole account',
  rows: 100_000,
  comparesWith: ['lifted', 'lifted-mirror'],
  floors: [
    { figure: 'rowsPerSecond', is: 'at least', limit: 2.5, times: 'before' },
    { figure: 'microsecondsPerRow', is: 'at most', limit: 1.3, times: 'scales' },
    { figure: 'unconfirmedRows', is: 'at most', limit: 0 },
  ],
  run: ({ rows, note }) =>
    withStack(rows, LIFTED, async (stack) =>
      measured(stack, await runWithMirror(stack, rows, note, LIFTED_TIMING)),
    ),
};

export const liveMirror: Scenario = {
  name: 'live-mirror',
  line: 'the same as live, after another run has read the whole account',
  rows: 1_000_000,
  floors: [
    { figure: 'timesTheLeast', is: 'at most', limit: 1.15 },
    { figure: 'secondsToFirstSubmit', is: 'at most', limit: 60 },
    { figure: 'throttledShare', is: 'at most', limit: 0.005 },
    { figure: 'unconfirmedRows', is: 'at most', limit: 0 },
  ],
  run: ({ rows, note }) =>
    withStack(rows, {}, async (stack) => {
      const run = await runWithMirror(stack, rows, note, {});
      const { figures, ...others } = measuredAtLimits(stack, run);
      const { 'preflight, read consent': reading = 0, plan = 0 } = run.phases;
      return {
        ...others,
        figures: { ...figures, secondsToFirstSubmit: (run.storedMs + reading + plan) / 1_000 },
      };
    }),
};

/** Migrates somebody else first: that run reads the whole account. */
async function runWithMirror(
  stack: BenchStack,
  rows: number,
  note: (what: string) => void,
  timing: { readonly readEveryMs?: number },
): Promise<MigrationRun> {
  await stack.sandbox.seed(
    (function* () {
      for (let n = 0; n < rows; n += KNOWN_ONE_IN) yield { email: addressOf(n), created: LONG_AGO };
    })(),
  );
  const file = `${stack.file}.before.csv`;
  await writeFile(file, 'email,email_consent\nbefore@shop.example,subscribed\n');
  note('reading the whole account');
  await runMigration({ ...stack, file }, { mirror: 'always', timing });
  note(`migrating ${rows} people`);
  return runMigration(stack, { mirror: 'always', timing });
}
