import type { Command } from 'commander';
import type { Act } from '../../demo/acts.js';
import type { DemoResult, DemoScreen } from '../../demo/demo.js';
import { Lifecycle } from '../../runtime/lifecycle.js';
import { progressLines } from '../../runtime/progress.js';
import { wholeNumber } from '../arguments.js';
import { Ended } from '../ended.js';
import { EXIT } from '../exit-codes.js';
import { ProgressView } from '../terminal/progress-view.js';
import { renderAct, renderDemo } from '../render/demo.js';
import { renderPlan } from '../render/plan.js';
import { counted } from '../render/quantities.js';
import { Output, type Terminal } from '../terminal/terminal.js';

interface DemoFlags {
  readonly rows: number;
  readonly seed: number;
  readonly keep?: boolean;
  readonly json?: boolean;
}

export function addDemo(program: Command, terminal: Terminal): void {
  program
    .command('demo')
    .description(
      'run a whole migration against a simulated Klaviyo and check it row by row; needs no set-up',
    )
    .option('--rows <count>', 'rows of the export', wholeNumber(1_000, 1_000_000), 20_000)
    .option(
      '--seed <number>',
      'seed of the random people, file and clicks',
      wholeNumber(0, 2 ** 31),
      1,
    )
    .option('--keep', 'keep everything running afterwards, until Ctrl-C')
    .option('--json', 'print one JSON document at the end')
    .addHelpText('after', '\nExample:\n  consentry demo --keep')
    .action(async (flags: DemoFlags) => {
      const output = new Output(terminal, flags.json ?? false);
      const lifecycle = new Lifecycle();
      lifecycle.stopOnSignals(() => output.note('Stopping...'));
      try {
        const { runDemo } = await import('../../demo/demo.js');
        const result = await runDemo(flags, lifecycle, screenOf(output));
        output.result(documentOf(result), renderDemo(result));
        if (flags.keep) {
          output.say(`\n${keptWords(result)}`);
          await new Promise(() => undefined);
        }
        if (!result.agrees) throw new Ended(EXIT.unexpected);
      } finally {
        await lifecycle.stop();
      }
    });
}

function screenOf(output: Output): DemoScreen {
  let view: ProgressView | null = null;
  return {
    onStep: (what) => output.say(`> ${what}`),
    onSlowStart: progressLines(process.stderr),
    onStarted({ id, rows, webUi, confirmWithinMs }) {
      view = new ProgressView(output.terminal, confirmWithinMs);
      output.say(`Migration ${id} started: ${counted(rows, 'row')}. Web UI: ${webUi ?? 'none'}`);
    },
    onPlan: (plan) => output.say(`\n${renderPlan(plan)}\n`),
    onProgress: (progress) => view?.show(progress),
    onActEnded(act) {
      view?.stop();
      output.say(`\n${renderAct(act)}\n`);
    },
  };
}

/** The keys are stable. */
function documentOf(result: DemoResult): unknown {
  const actOf = ({ report, webUi, runMs, compareMs, compared, differences }: Act): unknown => ({
    ...report,
    webUi,
    runMs,
    compareMs,
    compared,
    differences,
  });
  const { agrees, missing, figures, steps, totalMs } = result;
  return {
    agrees,
    missing,
    acts: [actOf(result.main), actOf(result.second)],
    figures,
    steps,
    totalMs,
  };
}

function keptWords({ addresses }: DemoResult): string {
  return [
    ...(addresses.webUi === null ? [] : [`Web UI:          ${addresses.webUi}`]),
    `Simulated Klaviyo: ${addresses.sandbox}`,
    'To use the other commands, in another terminal:',
    `  export DATABASE_URL=${addresses.databaseUrl} TEMPORAL_ADDRESS=${addresses.temporalAddress}`,
    '  consentry status',
    'Ctrl-C stops everything.',
  ].join('\n');
}
