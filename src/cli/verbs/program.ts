import type { Command } from 'commander';
import { parseRunOptions } from '../../starter/migrations/request/parse.js';
import { UsageError } from '../ended.js';
import { addRequestFlags, settingsGiven, type VerbFlags } from '../request-flags.js';
import { asFlags } from '../request-words.js';
import type { RunFlags } from '../run/program-run.js';
import type { Terminal } from '../terminal/terminal.js';
import { CONFIG_FLAG } from './config.js';
import { addActivation } from './activation.js';

interface ListFlags {
  readonly config?: string;
  readonly json?: boolean;
}

export function addProgram(program: Command, terminal: Terminal): void {
  const verb = program
    .command('program')
    .description('list, show and run the programs of consentry.yaml');
  verb
    .command('list')
    .description('list the programs, their settings and how many contacts their sources have')
    .option(...CONFIG_FLAG)
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  consentry program list')
    .action(async (flags: ListFlags) => {
      const { listPrograms } = await import('../run/program-list.js');
      await listPrograms(flags, terminal);
    });
  verb
    .command('show')
    .description(
      'show a program: where each setting comes from, and its contacts by the consent that Klaviyo shows',
    )
    .argument('<name>', 'name of the program')
    .option(...CONFIG_FLAG)
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nReads everybody as a dry run does; nothing is sent.\n\nExample:\n  consentry program show newsletter',
    )
    .action(async (name: string, flags: ListFlags) => {
      const { showProgram } = await import('../run/program-show.js');
      await showProgram(name, flags, terminal);
    });
  addActivation(verb, terminal);
  const runVerb = verb
    .command('run')
    .description('run a program, or all: one migration each; every row ends with an outcome')
    .argument('[name]', 'name of the program')
    .option(...CONFIG_FLAG)
    .option('--all', 'run all programs, one after the other');
  addRequestFlags(runVerb, 'program run')
    .option('--detach', 'start and return at once')
    .option('--beyond-brakes', 'let more people enter or leave a segment than its brakes allow')
    .option('--json', 'print one JSON document at the end')
    .addHelpText(
      'after',
      `
Ctrl-C only stops watching: the migration goes on, and no further program is started.

Examples:
  consentry program run newsletter --dry-run
  consentry program run --all --yes`,
    )
    .action(async (name: string | undefined, flags: VerbFlags & RunFlags) => {
      if ((name === undefined) === (flags.all !== true)) {
        throw new UsageError(
          name === undefined
            ? 'Say which program to run, or --all; consentry program list names them.'
            : `${name} and --all contradict each other: give one of them.`,
        );
      }
      const options = parseRunOptions(settingsGiven('program run', flags), asFlags);
      const { runPrograms } = await import('../run/program-run.js');
      await runPrograms(name ?? null, options, flags, terminal);
    });
}
