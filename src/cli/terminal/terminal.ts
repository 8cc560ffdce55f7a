import { EXIT } from '../exit-codes.js';

/** The streams of a verb, which tests replace. */
export interface Terminal {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Where a person types; absent if nobody can be asked. */
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
}

export function processTerminal(): Terminal {
  // The reader has read enough and closed the pipe, as `head` does: nothing is wrong.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.ok);
  });
  return { stdout: process.stdout, stderr: process.stderr, stdin: process.stdin };
}

/**
 * The output of a verb. Without `--json`, results and messages go to stdout; with it, stdout has
 * only the result and all messages go to stderr. Progress always goes to stderr.
 */
export class Output {
  constructor(
    readonly terminal: Terminal,
    readonly json: boolean,
  ) {}

  /** A message for people, of one or more lines. */
  say(text: string): void {
    (this.json ? this.terminal.stderr : this.terminal.stdout).write(`${text}\n`);
  }

  /** A passing message or a warning. */
  note(text: string): void {
    this.terminal.stderr.write(`${text}\n`);
  }

  /** The result: one JSON document, or the same for people. */
  result(value: unknown, text: string): void {
    this.terminal.stdout.write(this.json ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);
  }

  /** One of several results of a verb that keeps running: a line of NDJSON, or the same for people. */
  event(value: unknown, text: string): void {
    this.terminal.stdout.write(this.json ? `${JSON.stringify(value)}\n` : `${text}\n`);
  }
}
