import { EXIT } from '../exit-codes.js';

/** Where a verb writes to, so that tests can read it. */
export interface Terminal {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Where a person types; absent where nobody can be asked. */
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
}

export function processTerminal(): Terminal {
  // Whoever reads us has read enough, as `head` does: nothing is wrong.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.ok);
  });
  return { stdout: process.stdout, stderr: process.stderr, stdin: process.stdin };
}

/**
 * What a verb says. Without `--json` results and words go to stdout; with it stdout holds the
 * result alone and all words go to stderr. Progress is on stderr always.
 */
export class Output {
  constructor(
    readonly terminal: Terminal,
    readonly json: boolean,
  ) {}

  /** Words for people; a line or several. */
  say(text: string): void {
    (this.json ? this.terminal.stderr : this.terminal.stdout).write(`${text}\n`);
  }

  /** What is only of interest while it lasts, and warnings. */
  note(text: string): void {
    this.terminal.stderr.write(`${text}\n`);
  }

  /** The result: one JSON document, or the same for people. */
  result(value: unknown, text: string): void {
    this.terminal.stdout.write(this.json ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);
  }

  /** One of several results of a verb that goes on: a line of NDJSON, or the same for people. */
  event(value: unknown, text: string): void {
    this.terminal.stdout.write(this.json ? `${JSON.stringify(value)}\n` : `${text}\n`);
  }
}
