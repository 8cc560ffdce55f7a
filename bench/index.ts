/**
 * Runs a benchmark by its name, or lists all:
 *
 *   npm run bench [-- NAME [--rows N] [--out FOLDER] [--before FILE] [--scales FILE] [--no-floor]]
 *
 * Writes a JSON file, and ends with code 1 if a figure misses its floor.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { main } from './main.js';
import { ROOT } from './measure/machine.js';
import type { Script } from './scenario.js';
import { SCENARIOS } from './scenarios.js';
import { join } from 'node:path';

process.exitCode = await main(process.argv.slice(2), SCENARIOS, {
  out: (text) => process.stdout.write(text),
  note: (text) => process.stderr.write(text),
  run,
});

/** Ctrl-C reaches the script directly; it stops its servers itself. */
async function run({ path }: Script, args: readonly string[]): Promise<number> {
  const isBuilt = import.meta.url.endsWith('.js');
  const file = join(ROOT, isBuilt ? builtPath(path) : `${path}.ts`);
  const child = spawn(process.execPath, [...process.execArgv, file, ...args], { stdio: 'inherit' });
  const wait = (): void => undefined;
  process.on('SIGINT', wait);
  const passOn = (): boolean => child.kill('SIGTERM');
  process.on('SIGTERM', passOn);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('SIGINT', wait);
  process.off('SIGTERM', passOn);
  return code ?? 1;
}

/** `bench/errors` is built to `dist/bench/errors.js`; a package has its own `dist`. */
function builtPath(path: string): string {
  const [, before = '', below = path] = /^(packages\/[^/]+\/)?(.+)$/.exec(path) ?? [];
  return `${before}dist/${below}.js`;
}
