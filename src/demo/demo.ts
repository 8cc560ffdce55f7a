import { join } from 'node:path';
import { OUTCOMES, type Outcome } from '../contracts/outcomes.js';
import type { Lifecycle } from '../runtime/lifecycle.js';
import type { OnProgress } from '../runtime/progress.js';
import { playMain, playSecond, type Act, type ActScreen } from './acts.js';
import { readFigures, type Figures } from './figures.js';
import { demoSource, sandboxOptions, SECOND_ROWS } from './sources.js';
import { startStack, temporaryFolder, type DemoStack } from './stack.js';

export interface DemoOptions {
  /** Rows of the main act's file. */
  readonly rows: number;
  readonly seed: number;
}

/** What is shown while the demo runs. */
export interface DemoScreen extends ActScreen {
  onStep(what: string): void;
  onSlowStart: OnProgress;
  onActEnded(act: Act): void;
}

export interface Step {
  readonly what: string;
  readonly ms: number;
}

export interface DemoResult {
  readonly main: Act;
  readonly second: Act;
  readonly figures: Figures;
  /** Outcomes that neither act shows; a demo that does not show all has failed. */
  readonly missing: readonly Outcome[];
  /** Whether the ledger is right in every row of both acts, and every outcome was seen. */
  readonly agrees: boolean;
  readonly steps: readonly Step[];
  readonly totalMs: number;
  readonly addresses: DemoStack['addresses'];
}

/** Plays both acts and compares them with the account. The lifecycle stops what it starts. */
export async function runDemo(
  options: DemoOptions,
  lifecycle: Lifecycle,
  screen: DemoScreen,
): Promise<DemoResult> {
  const begun = Date.now();
  const steps: Step[] = [];
  const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    screen.onStep(what);
    const from = Date.now();
    const result = await work();
    steps.push({ what, ms: Date.now() - from });
    return result;
  };

  const source = demoSource(options.seed, options.rows);
  const folder = await temporaryFolder(lifecycle);
  const files = { main: join(folder, 'subscribed.csv'), second: join(folder, 'more.csv') };
  const stack = await step('start PostgreSQL, Temporal, the simulated Klaviyo and a worker', () =>
    startStack(folder, sandboxOptions(options.seed, source.account), lifecycle, screen.onSlowStart),
  );
  await step(`write the export of ${options.rows} rows and fill the account`, async () => {
    await Promise.all([source.writeFirst(files.main), source.writeSecond(files.second)]);
    await stack.sandbox.seed(source.account.accountBefore);
  });
  const main = await step('main act: e-mail and SMS into a double opt-in list', () =>
    playMain(stack, files.main, screen),
  );
  const figures = await readFigures(main, stack.temporal, stack.workerPid);
  screen.onActEnded(main);
  const second = await step(`second act: ${SECOND_ROWS} rows, cancelled half-way`, () =>
    playSecond(stack, files.second, screen),
  );
  screen.onActEnded(second);
  const missing = OUTCOMES.filter(
    (outcome) => !main.report.outcomes[outcome] && !second.report.outcomes[outcome],
  );
  return {
    main,
    second,
    figures,
    missing,
    agrees:
      [main, second].every(({ differences }) => differences.length === 0) && missing.length === 0,
    steps,
    totalMs: Date.now() - begun,
    addresses: stack.addresses,
  };
}
