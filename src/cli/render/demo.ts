import type { Act } from '../../demo/acts.js';
import type { DemoResult } from '../../demo/demo.js';
import type { Difference } from '../../demo/truth.js';
import { renderOutcomes, renderParts } from './outcomes.js';
import { count, counted, duration } from './quantities.js';
import { table } from './table.js';

const DIFFERENCES_SHOWN = 20;

/** How an act ended. */
export function renderAct({ report, webUi, runMs }: Act): string {
  return [
    `Ended ${report.phase} after ${duration(runMs)}.${webUi === null ? '' : ` Web UI: ${webUi}`}`,
    renderOutcomes(report.outcomes, report.rows),
    renderParts(report.parts),
  ].join('\n\n');
}

/** The end of the demo: whether the ledger agrees with the account, and the costs. */
export function renderDemo(result: DemoResult): string {
  const { main, second, figures, missing } = result;
  const differences = [...main.differences, ...second.differences];
  const compared = main.compared + second.compared;
  const verdict =
    differences.length === 0
      ? `The ledger is right: ${counted(compared, 'channel of a row', 'channels of rows')} compared with the account, no difference.`
      : `The ledger is WRONG: ${counted(differences.length, 'difference')} in ${count(compared)} channels of rows.\n${renderDifferences(differences)}`;
  const steps = table(
    [{ head: 'step' }, { head: 'took', align: 'right' }],
    [
      ...result.steps.map(({ what, ms }) => [what, duration(ms)]),
      ['comparing (in the acts)', duration(main.compareMs + second.compareMs)],
      ['all', duration(result.totalMs)],
    ],
  );
  const costs = [
    `Rows per second, including the wait for clicks: ${count(figures.rowsPerSecond)}`,
    `History events: ${count(figures.migrationEvents)} of the migration, ${figures.jobEvents.mean.toFixed(1)} per job (at most ${figures.jobEvents.most})`,
    ...(figures.workerBytes === null
      ? []
      : [`Memory of the worker: ${count(figures.workerBytes / 2 ** 20)} MiB`]),
  ];
  return [
    verdict,
    ...(missing.length === 0 ? [] : [`Not shown by any row: ${missing.join(', ')}.`]),
    steps,
    costs.join('\n'),
  ].join('\n\n');
}

/** The first 20, by line. */
export function renderDifferences(differences: readonly Difference[]): string {
  const shown = [...differences]
    .sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity))
    .slice(0, DIFFERENCES_SHOWN)
    .map(({ line, channel, outcome, who, what }) =>
      line === null
        ? `  ${who}: ${what}`
        : `  line ${line}, ${channel ?? ''} of ${who}: the ledger says ${outcome ?? 'nothing'}, but ${what}`,
    );
  const rest = differences.length - shown.length;
  return [...shown, ...(rest > 0 ? [`  and ${count(rest)} more`] : [])].join('\n');
}
