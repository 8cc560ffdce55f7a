import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { childEnvironment } from '../config.js';

/** The first executable with that name in the folders of `Config.searchPath`; null if none. */
export async function findExecutable(
  name: string,
  searchPath: readonly string[],
): Promise<string | null> {
  const names = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name];
  for (const folder of searchPath) {
    for (const file of names) {
      const path = join(folder, file);
      if (await isExecutable(path)) return path;
    }
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

export interface ExecutableResult {
  /** The last 4,000 characters of standard output and error. */
  readonly output: string;
  /** How it failed, with its last line; null when it ended with exit code 0. */
  readonly failure: string | null;
}

const OUTPUT_KEPT = 4_000;

/** Runs a program to its end, or kills it after `withinMs`. Never throws. */
export function runExecutable(
  file: string,
  args: readonly string[],
  options: { withinMs: number; env?: Readonly<Record<string, string>>; cwd?: string },
): Promise<ExecutableResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: childEnvironment(options.env),
      cwd: options.cwd,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output = (output + chunk).slice(-OUTPUT_KEPT);
      });
    }
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, options.withinMs);
    const settle = (how: string | null): void => {
      clearTimeout(timer);
      const last = output.trim().split('\n').at(-1);
      const failure = how !== null && last ? `${how}: ${last}` : how;
      resolve({ output: output.trim(), failure });
    };
    child.once('error', (error) => settle(error.message));
    child.once('close', (code, signal) => {
      if (late) settle(`not done after ${Math.round(options.withinMs / 1000)} s`);
      else if (code === 0) settle(null);
      else settle(signal === null ? `exit code ${String(code)}` : `ended by ${signal}`);
    });
  });
}
