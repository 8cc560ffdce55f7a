import { createInterface } from 'node:readline/promises';
import type { Consentry } from '../starter/consentry.js';
import { UsageError } from './ended.js';
import { counted } from './render/quantities.js';
import type { Output } from './terminal.js';

/**
 * Asks for the number of people to be typed before a large run starts, as a click or a `y` is too
 * easily given. Anything else cancels the run.
 *
 * @param rows that the plan is about
 * @throws UsageError where nobody is there to be asked; the run is cancelled
 */
export async function askForApproval(
  consentry: Consentry,
  id: string,
  rows: number,
  output: Output,
): Promise<void> {
  const { stdin, stderr } = output.terminal;
  if (stdin?.isTTY !== true) {
    await consentry.cancel(id);
    throw new UsageError(
      `This run is about ${counted(rows, 'row')}, and nobody is here to confirm it: give --yes, or ` +
        '--detach and then consentry approve ID. Nothing was sent.',
    );
  }
  const questions = createInterface({ input: stdin, output: stderr });
  try {
    const typed = await questions.question(
      `Type the number of rows (${rows}) to start, anything else to cancel: `,
    );
    if (typed.replace(/[\s,._']/g, '') !== String(rows)) {
      await consentry.cancel(id);
      output.note('That is not the number: the run is cancelled, nothing was sent.');
      return;
    }
  } finally {
    questions.close();
  }
  await consentry.approve(id);
}
