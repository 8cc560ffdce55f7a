import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { main } from '../src/command/main.js';

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command in this process, for calls that end by themselves. */
export async function run(...args: string[]): Promise<Ran> {
  let [stdout, stderr] = ['', ''];
  const code = await main(args, {
    writeOut: (text) => (stdout += text),
    writeErr: (text) => (stderr += text),
  });
  return { code, stdout, stderr };
}

/** The package's program, for sources and for the build, which is one level deeper. */
const PROGRAM = fileURLToPath(
  new URL(
    `${import.meta.url.includes('/dist/') ? '../../' : '../'}bin/klaviyo-sandbox.mjs`,
    import.meta.url,
  ),
);

export interface StartedCommand {
  /** The JSON that it prints when it is ready. */
  ready: unknown;
  /** Ends it with SIGTERM, and returns the signal that ended it. */
  stop(): Promise<NodeJS.Signals | null>;
}

/** Starts the program in its own process and waits until it is ready. */
export async function startCommand(...args: string[]): Promise<StartedCommand> {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    exited.then(([code]) => {
      throw new Error(`klaviyo-sandbox ended with ${code} before it was ready`);
    }),
  ])) as [string];
  return {
    ready: JSON.parse(line),
    async stop() {
      child.kill('SIGTERM');
      const [, signal] = await exited;
      return signal;
    },
  };
}
