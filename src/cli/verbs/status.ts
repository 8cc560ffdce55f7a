import type { Command } from 'commander';
import type { Phase } from '../../contracts/migration.js';
import { wholeNumber } from '../arguments.js';
import { renderPlan } from '../render/plan.js';
import { renderMigrations, renderReport } from '../render/report.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

/** Phases in which there is only the plan to show. */
const PLAN_SHOWN: ReadonlySet<Phase> = new Set(['approval', 'planned']);

export function addStatus(program: Command, terminal: Terminal): void {
  program
    .command('status')
    .description('list the newest migrations, or show the progress of one')
    .argument('[id]', 'id of a migration')
    .option('--limit <count>', 'how many to list', wholeNumber(1, 1_000), 20)
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  consentry status\n  consentry status 20260102-1a2b3c4d')
    .action(async (id: string | undefined, flags: { limit: number; json?: boolean }) => {
      const output = new Output(terminal, flags.json ?? false);
      await withConsentry(async (connected) => {
        const { consentry } = connected;
        if (id === undefined) {
          const migrations = await consentry.migrations.list(flags.limit);
          output.result({ migrations }, renderMigrations(migrations));
          return;
        }
        // The workflow knows phases that the ledger does not store.
        const { phase, paused, held } = await consentry.migrations.progress(id);
        const state = { ...(await consentry.migrations.report(id)), phase, paused, held };
        const plan = await consentry.migrations.plan(id);
        const link = connected.webUi(id);
        output.result(
          { ...state, plan, webUi: link },
          [
            ...(plan !== null && PLAN_SHOWN.has(phase) ? [renderPlan(plan)] : []),
            renderReport(state),
            ...(phase === 'approval' ? [approvalWords(id)] : []),
            ...(held === null ? [] : [heldWords(held)]),
            ...(link === null ? [] : [`Web UI: ${link}`]),
          ].join('\n\n'),
        );
      });
    });
}

function heldWords(why: string): string {
  return (
    `${why}\nThe run waits, and goes on by itself when a worker has a key that Klaviyo accepts: fix the ` +
    'key, or start a worker with another key of the account. Only cancel ends the run.'
  );
}

function approvalWords(id: string): string {
  return `Nothing was sent yet. Approve it: consentry approve ${id}. Cancel it: consentry cancel ${id}.`;
}
