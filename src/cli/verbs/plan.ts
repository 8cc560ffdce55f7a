import type { Command } from 'commander';
import type { ApplyFlags } from '../run/apply-programs.js';
import type { PlanFlags } from '../run/plan-programs.js';
import type { Terminal } from '../terminal/terminal.js';
import { CONFIG_FLAG } from './config.js';

export function addPlan(program: Command, terminal: Terminal): void {
  program
    .command('plan')
    .description('show what consentry.yaml changes against what was applied last; send nothing')
    .option(...CONFIG_FLAG)
    .option('--check', 'end with code 8 if anything differs')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  consentry plan\n  consentry plan --check')
    .action(async (flags: PlanFlags) => {
      const { planPrograms } = await import('../run/plan-programs.js');
      await planPrograms(flags, terminal);
    });
}

export function addApply(program: Command, terminal: Terminal): void {
  program
    .command('apply')
    .description('show what consentry.yaml changes, ask, and do it: create lists, run programs')
    .option(...CONFIG_FLAG)
    .option('--yes', 'do it without asking')
    .option('--json', 'print one JSON document at the end')
    .addHelpText('after', '\nExamples:\n  consentry apply\n  consentry apply --yes --json')
    .action(async (flags: ApplyFlags) => {
      const { applyPrograms } = await import('../run/apply-programs.js');
      await applyPrograms(flags, terminal);
    });
}
