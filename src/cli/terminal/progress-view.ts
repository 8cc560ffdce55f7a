import type { Progress } from '../../contracts/migration.js';
import { Pace } from './pace.js';
import { settledRows } from '../render/outcomes.js';
import { progressLine } from '../render/progress.js';
import { counted } from '../render/quantities.js';
import { ProgressBar } from './progress-bar.js';
import type { Terminal } from './terminal.js';

/** Shows the progress of a migration. */
export class ProgressView {
  readonly #bar: ProgressBar;
  readonly #pace: Pace;

  /** @param confirmWithinMs deadline of the read-back, to estimate the time left */
  constructor(terminal: Terminal, confirmWithinMs: number) {
    this.#bar = new ProgressBar(terminal);
    this.#pace = new Pace(confirmWithinMs);
  }

  show(progress: Progress): void {
    const left = this.#pace.left(progress);
    const line = progressLine(progress, left);
    const settled = settledRows(progress.outcomes);
    this.#bar.show(settled, progress.rows, line, progressLine(progress, null));
  }

  /** The number of rows read from the source so far. */
  showRead(rows: number): void {
    this.#bar.showCount(`Reading: ${counted(rows, 'row')}`);
  }

  /** What is going on while there is nothing to count. */
  showBegun(words: string): void {
    this.#bar.showBegun(words);
  }

  /** Ends the bar or the counting line, so that other text can follow. */
  stop(): void {
    this.#bar.stop();
  }
}
