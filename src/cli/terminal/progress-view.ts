import { SingleBar } from 'cli-progress';
import type { Progress } from '../../contracts/migration.js';
import { Pace } from './pace.js';
import { settledRows } from '../render/outcomes.js';
import { progressLine } from '../render/progress.js';
import { counted } from '../render/quantities.js';
import type { Terminal } from './terminal.js';

const LINE_EVERY_MS = 2_000;

/** Shows progress on stderr: on a terminal a bar, elsewhere a line per change, at most every 2 s. */
export class ProgressView {
  readonly #terminal: Terminal;
  readonly #pace: Pace;
  #bar: SingleBar | null = null;
  #lastLine = '';
  #lastAt = 0;
  readonly #begunAt = Date.now();

  /** @param confirmWithinMs deadline of the read-back, to estimate the time left */
  constructor(terminal: Terminal, confirmWithinMs: number) {
    this.#terminal = terminal;
    this.#pace = new Pace(confirmWithinMs);
  }

  show(progress: Progress): void {
    const left = this.#pace.left(progress);
    const settled = settledRows(progress.outcomes);
    if (this.#terminal.stderr.isTTY !== true) {
      // The estimate changes all the time; a line is written only when something happened.
      this.#line(progressLine(progress, null), progressLine(progress, left));
      return;
    }
    const line = progressLine(progress, left);
    if (this.#bar === null) {
      this.#bar = new SingleBar({
        stream: this.#terminal.stderr,
        format: '{bar} {line}',
        barsize: 20,
        barCompleteChar: '█',
        barIncompleteChar: '░',
        hideCursor: false,
      });
      this.#bar.start(Math.max(1, progress.rows), settled, { line });
    } else {
      this.#bar.setTotal(Math.max(1, progress.rows));
      this.#bar.update(settled, { line });
    }
  }

  /** The number of rows read from the source so far. */
  showRead(rows: number): void {
    const line = `Reading: ${counted(rows, 'row')}`;
    if (this.#terminal.stderr.isTTY === true) this.#terminal.stderr.write(`\r\x1b[K${line}`);
    // Most sources are read too fast to show progress.
    else if (Date.now() - this.#begunAt >= LINE_EVERY_MS) this.#line(line, line);
  }

  /** What is going on while there is nothing to count; only on a terminal, where it can be erased. */
  showBegun(words: string): void {
    if (this.#terminal.stderr.isTTY === true) this.#terminal.stderr.write(`\r\x1b[K${words}`);
  }

  /** Ends the bar or the counting line, so that other text can follow. */
  stop(): void {
    if (this.#bar !== null) this.#bar.stop();
    else if (this.#terminal.stderr.isTTY === true) this.#terminal.stderr.write('\r\x1b[K');
    this.#bar = null;
  }

  #line(change: string, line: string): void {
    const now = Date.now();
    if (change === this.#lastLine || now - this.#lastAt < LINE_EVERY_MS) return;
    this.#lastLine = change;
    this.#lastAt = now;
    this.#terminal.stderr.write(`${line}\n`);
  }
}
