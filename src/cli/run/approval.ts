import { createInterface } from 'node:readline/promises';
import type { Consentry } from '../../starter/consentry.js';
import { Ended, UsageError } from '../ended.js';
import { EXIT } from '../exit-codes.js';
import { counted } from '../render/quantities.js';
import type { Output, Terminal } from '../terminal/terminal.js';

export interface WaitingRun {
  readonly id: string;
  /** Rows of the plan. */
  readonly rows: number;
  /** `--yes`: it is approved beforehand. */
  readonly isApproved: boolean;
  /** Another command started it, so this one must not cancel it. */
  readonly attached: boolean;
}

/**
 * Asks the operator to type the number of rows before a large run starts, since a `y` is typed too
 * easily. Anything else cancels the run; Ctrl-C and Ctrl-D leave it waiting.
 *
 * @param signal leaves it waiting as well
 * @throws UsageError if there is no terminal to ask at; a run that this command started is
 * cancelled
 * @throws Ended if the question was left open
 */
export async function askForApproval(
  consentry: Consentry,
  { id, rows, isApproved, attached }: WaitingRun,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  if (isApproved) return consentry.migrations.approve(id);
  if (output.terminal.stdin?.isTTY !== true) {
    if (attached) {
      throw new UsageError(
        `Migration ${id} waits for approval, but there is no terminal to ask at: run consentry approve ${id}, ` +
          'or this command with --yes. Nothing was sent yet.',
      );
    }
    await consentry.migrations.cancel(id);
    throw new UsageError(
      `This run has ${counted(rows, 'row')}, but there is no terminal to ask for approval: give --yes, or ` +
        '--detach and then consentry approve ID. Nothing was sent.',
    );
  }
  const typed = await typedAt(
    output.terminal,
    `Type the number of rows (${rows}) to start, anything else to cancel: `,
    signal,
  );
  if (typed === null) {
    output.note(leftWaitingWords(id));
    throw new Ended(EXIT.interrupted);
  }
  if (typed.replace(/[\s,._']/g, '') === String(rows)) return consentry.migrations.approve(id);
  await consentry.migrations.cancel(id);
  output.note('That is not the number: the run is cancelled.');
}

function leftWaitingWords(id: string): string {
  return [
    '',
    `Nothing was sent. Migration ${id} waits for your approval.`,
    `  start it:   consentry approve ${id}`,
    `  cancel it:  consentry cancel ${id}`,
  ].join('\n');
}

/**
 * Asks a question whose answer is yes only if it is typed.
 *
 * @param question with its `[y/N] `
 * @param signal answers it with no
 */
export async function answersYes(
  terminal: Terminal,
  question: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<boolean> {
  const typed = await typedAt(terminal, question, signal);
  return /^(y|yes)$/i.test(typed?.trim() ?? '');
}

/** The line that was typed; null if the person or `signal` ends the prompt before. */
async function typedAt(
  { stdin, stderr }: Terminal,
  question: string,
  signal: AbortSignal,
): Promise<string | null> {
  if (stdin === undefined || signal.aborted) return null;
  const left = new AbortController();
  const leave = (): void => left.abort();
  const lines = createInterface({ input: stdin, output: stderr });
  signal.addEventListener('abort', leave);
  lines.once('SIGINT', leave);
  lines.once('close', leave);
  try {
    return await lines.question(question, { signal: left.signal });
  } catch (error) {
    if (left.signal.aborted) return null;
    throw error;
  } finally {
    signal.removeEventListener('abort', leave);
    lines.close();
  }
}
