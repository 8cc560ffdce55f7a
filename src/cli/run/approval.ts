import { createInterface } from 'node:readline/promises';
import type { Consentry } from '../../starter/consentry.js';
import { Ended, UsageError } from '../ended.js';
import { EXIT } from '../exit-codes.js';
import { counted } from '../render/quantities.js';
import type { Output, Terminal } from '../terminal/terminal.js';

export interface WaitingRun {
  readonly id: string;
  /** That the plan is about. */
  readonly rows: number;
  /** `--yes`: the approval is given already. */
  readonly isApproved: boolean;
  /** It was started by another command, and is not this one's to cancel. */
  readonly attached: boolean;
}

/**
 * Asks for the number of rows to be typed before a large run starts, as a click or a `y` is too
 * easily given. Another number cancels the run; Ctrl-C and Ctrl-D leave it waiting.
 *
 * @param signal leaves it waiting as well
 * @throws UsageError where nobody is there to be asked; the run that this command started is cancelled
 * @throws Ended where the question was left open
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
        `Migration ${id} waits for approval, and nobody is here to give it: consentry approve ${id}, ` +
          'or the same command with --yes. Nothing was sent yet.',
      );
    }
    await consentry.migrations.cancel(id);
    throw new UsageError(
      `This run is about ${counted(rows, 'row')}, and nobody is here to approve it: give --yes, or ` +
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

/** The line that is typed; null where the person or `signal` leaves before. */
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
