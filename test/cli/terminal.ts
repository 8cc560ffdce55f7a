import { Writable } from 'node:stream';
import { main } from '../../src/cli/main.js';
import type { Terminal } from '../../src/cli/terminal.js';

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
