import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The repository, from the sources as from the build, which is a level deeper. */
export const ROOT = fileURLToPath(
  new URL(import.meta.url.includes('/dist/') ? '../../../' : '../../', import.meta.url),
);

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  readonly system: string;
}

export interface Commit {
  readonly id: string;
  /** Whether files differed from the commit. */
  readonly dirty: boolean;
}

export function thisMachine(): Machine {
  const all = cpus();
  return {
    cores: all.length,
    cpu: all[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    system: `${platform()} ${release()}`,
  };
}

/** Load average over 1, 5 and 15 minutes; zeros on Windows. */
export function loadNow(): number[] {
  return loadavg().map((load) => Number(load.toFixed(2)));
}

/** The commit of the clone; null outside one. */
export async function currentCommit(): Promise<Commit | null> {
  try {
    const { stdout: id } = await run('git', ['rev-parse', 'HEAD'], { cwd: ROOT });
    const { stdout: changes } = await run('git', ['status', '--porcelain'], { cwd: ROOT });
    return { id: id.trim(), dirty: changes.trim() !== '' };
  } catch (error) {
    // A package that was unpacked has no history, and a machine may have no git.
    const { code } = error as { code?: unknown };
    if (code === 'ENOENT' || code === 128) return null;
    throw error;
  }
}

export async function consentryVersion(): Promise<string> {
  const text = await readFile(join(ROOT, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The address of one of our programs, from the sources as from the build. */
export function programAt(pathBelowBench: string): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const bench = dirname(dirname(fileURLToPath(import.meta.url)));
  return join(bench, `${pathBelowBench}.${extension}`);
}
