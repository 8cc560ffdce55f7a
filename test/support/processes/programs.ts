import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export type Program = ChildProcessByStdio<null, Readable, Readable>;

/** How a program ended, and what it had said by then. */
export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The module behind `consentry`. */
export const CONSENTRY = 'src/cli/start';

/**
 * Starts a module of the repository as a program of its own, from sources or built as we are.
 *
 * @param module its path in the repository, without extension
 */
export function startProgram(
  module: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Program {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const entry = fileURLToPath(new URL(`../../../${module}.${extension}`, import.meta.url));
  return spawn(process.execPath, [...process.execArgv, entry, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Call it as soon as the program is started: what it says before is not heard. */
export async function endOf(program: Program): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  program.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  program.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(program, 'close')) as [number | null];
  return { code, stdout, stderr };
}
