import { SingleBar } from 'cli-progress';
import type { Progress } from '../../contracts/migration.js';
import { Pace } from './pace.js';
import { settledRows } from '../render/outcomes.js';
import { progressLine } from '../render/progress.js';
import { counted } from '../render/quantities.js';
import type { Terminal } from './terminal.js';

const LINE_EVERY_MS = 2_000;

/** Shows progress on stderr: a bar on a terminal, elsewhere a line on change, none within 2 s. */
export class ProgressView {
  readonly #terminal: Terminal;
  readonly #pace: Pace;
  #bar: SingleBar | null = null;
  #lastLine = '';
  #lastAt = 0;
  readonly #begunAt = Date.now();

  /** @param confirmWithinMs deadline of the read-back, for the estimate of the rest */
  constructor(terminal: Terminal, confirmWithinMs: number) {
    this.#terminal = terminal;
    this.#pace = new Pace(confirmWithinMs);
  }

  show(progress: Progress): void {
    const left = this.#pace.left(progress);
    const settled = settledRows(progress.outcomes);
    if (this.#terminal.stderr.isTTY !== true) {
      // The estimate changes by itself; a line is written when something happened.
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

  /** Rows of the source that were read so far. */
  showRead(rows: number): void {
    const line = `Reading: ${counted(rows, 'row')}`;
    if (this.#terminal.stderr.isTTY === true) this.#terminal.stderr.write(`\r\x1b[K${line}`);
    // Most sources are read before anybody looks.
    else if (Date.now() - this.#begunAt >= LINE_EVERY_MS) this.#line(line, line);
  }

  /** What goes on while there is nothing to count; only a terminal can take it away again. */
  showBegun(words: string): void {
    if (this.#terminal.stderr.isTTY === true) this.#terminal.stderr.write(`\r\x1b[K${words}`);
  }

  /** Ends the bar or the line that counts, so that other words can follow. */
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
