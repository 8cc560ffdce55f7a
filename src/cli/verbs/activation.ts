import type { Command } from 'commander';
import type { ActivationVerb } from '../run/activation.js';
import type { Terminal } from '../terminal/terminal.js';

interface ActivationFlags {
  readonly account?: string;
  readonly json?: boolean;
}

const VERBS: readonly (readonly [ActivationVerb, string])[] = [
  ['trigger', 'start a run of a segment now, by its Schedule'],
  ['pause', 'let the Schedule of a segment start no runs until unpause'],
  ['unpause', 'let the Schedule of a segment start runs again'],
  [
    'approve',
    'let a run of a segment that its brakes hold do what it found; or let those leave who are kept',
  ],
  ['reject', 'end a run of a segment that its brakes hold: nothing is sent'],
];

/** Verbs about segments that run by themselves. */
export function addActivation(verb: Command, terminal: Terminal): void {
  named(
    verb
      .command('runs')
      .description(
        'show the runs of a segment: who entered and left, what waits for an answer, and the next run',
      ),
  )
    .addHelpText('after', '\nExample:\n  consentry program runs vip')
    .action(async (name: string, flags: ActivationFlags) => {
      const { showRuns } = await import('../run/activation.js');
      await showRuns(name, flags, terminal);
    });
  for (const [does, says] of VERBS) {
    const answers = does === 'approve' || does === 'reject';
    named(verb.command(does).description(says), answers ? ANSWERED : NAMED)
      .addHelpText('after', `\nExample:\n  consentry program ${does} vip`)
      .action(async (name: string, flags: ActivationFlags) => {
        const { steerSegment } = await import('../run/activation.js');
        await steerSegment(does, name, flags, terminal);
      });
  }
}

const NAMED = 'name of the program';

const ANSWERED = 'name of the program, or the id of the run that waits';

function named(command: Command, of = NAMED): Command {
  return command
    .argument('<name>', of)
    .option('--account <id>', 'account, if programs of several have this name')
    .option('--json', 'print one JSON document');
}
