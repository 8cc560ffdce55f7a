import { SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.js';

const LINE_EVERY_MS = 2_000;

/** Progress on stderr: on a terminal a bar, elsewhere a line per change, at most every 2 s. */
export class ProgressBar {
  #bar: SingleBar | null = null;
  #lastLine = '';
  #lastAt = 0;
  readonly #begunAt = Date.now();

  constructor(private readonly terminal: Terminal) {}

  /**
   * @param line beside the bar
   * @param change the line without what changes all the time, such as an estimate: elsewhere a line is
   *   written only when this differs
   */
  show(done: number, total: number, line: string, change: string): void {
    const { stderr } = this.terminal;
    if (stderr.isTTY !== true) {
      this.#line(change, line);
      return;
    }
    if (this.#bar === null) {
      this.#bar = new SingleBar({
        stream: stderr,
        format: '{bar} {line}',
        barsize: 20,
        barCompleteChar: '█',
        barIncompleteChar: '░',
        hideCursor: false,
      });
      this.#bar.start(Math.max(1, total), done, { line });
    } else {
      this.#bar.setTotal(Math.max(1, total));
      this.#bar.update(done, { line });
    }
  }

  /** A number that grows, without an end to compare it with. */
  showCount(line: string): void {
    if (this.terminal.stderr.isTTY === true) this.terminal.stderr.write(`\r\x1b[K${line}`);
    // Most of what is counted is over too fast to show progress.
    else if (Date.now() - this.#begunAt >= LINE_EVERY_MS) this.#line(line, line);
  }

  /** What is going on while there is nothing to count; only on a terminal, where it can be erased. */
  showBegun(words: string): void {
    if (this.terminal.stderr.isTTY === true) this.terminal.stderr.write(`\r\x1b[K${words}`);
  }

  /** Ends the bar or the counting line, so that other text can follow. */
  stop(): void {
    if (this.#bar !== null) this.#bar.stop();
    else if (this.terminal.stderr.isTTY === true) this.terminal.stderr.write('\r\x1b[K');
    this.#bar = null;
  }

  #line(change: string, line: string): void {
    const now = Date.now();
    if (change === this.#lastLine || now - this.#lastAt < LINE_EVERY_MS) return;
    this.#lastLine = change;
    this.#lastAt = now;
    this.terminal.stderr.write(`${line}\n`);
  }
}
