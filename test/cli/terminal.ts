import { PassThrough, Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { main } from '../../src/cli/main.js';
import type { Terminal } from '../../src/cli/terminal/terminal.js';

/** Keeps what is written to it. */
export class Written extends Writable {
  text = '';

  constructor(readonly isTTY: boolean = false) {
    super({ decodeStrings: false });
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `consentry` in this process. */
export async function run(...argv: string[]): Promise<Ran> {
  const stdout = new Written();
  const stderr = new Written();
  const terminal: Terminal = { stdout, stderr };
  const code = await main(argv, terminal);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** A screen: a prompt cannot end it, and somebody looks at what appears. */
class Screen extends Written {
  constructor(private readonly onText: (text: string) => void) {
    super(true);
  }

  override _write(chunk: string | Buffer, encoding: BufferEncoding, done: () => void): void {
    super._write(chunk, encoding, done);
    this.onText(chunk.toString());
  }

  override end(): this {
    return this;
  }
}

/** Runs `consentry` where somebody sits, who presses the keys of each question when it appears. */
export async function runTyping(
  answers: readonly (readonly [question: RegExp, keys: string])[],
  ...argv: string[]
): Promise<Ran> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const left = [...answers];
  let unread = '';
  const stderr = new Screen((text) => {
    unread += stripVTControlCharacters(text);
    const [next] = left;
    if (next === undefined || !next[0].test(unread)) return;
    left.shift();
    unread = '';
    // A prompt listens to keys from the turn after its first rendering on.
    setImmediate(() => stdin.write(next[1]));
  });
  const stdout = new Written();
  const code = await main(argv, { stdout, stderr, stdin });
  return { code, stdout: stdout.text, stderr: stripVTControlCharacters(stderr.text) };
}
