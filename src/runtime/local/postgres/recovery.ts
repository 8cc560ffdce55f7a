import { execFile } from 'node:child_process';
import { readdir, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isRunning, startedAt } from '#file-lock';
import type { ProcessIdentity } from '#file-lock';
import { endProcess } from '../process-records.js';
import { readIfThere } from '../../whole-file.js';

const run = promisify(execFile);

/** The data of the built-in database is in use, or the remains of an earlier server do not end. */
export class DatabaseHeldError extends Error {
  override readonly name = 'DatabaseHeldError';
}

/** What PostgreSQL says while a part of an earlier server is still there. */
const HELD = /lock file "postmaster\.pid" already exists|shared memory block.*still in use/s;
/** Another program took the port in the meantime. */
const PORT_TAKEN = /Address already in use/;
const HELD_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 50;
const LOOK_AT_LEAST_EVERY_MS = 1_000;

/**
 * Starts a server on data whose earlier server may have just been killed: ends what is left of it,
 * and retries the start until it is gone.
 *
 * @param start throws an Error with PostgreSQL's message
 * @throws DatabaseHeldError naming file, process and remedy if it does not end
 */
export async function startWhenFree<T>(
  dataFolder: string,
  start: () => Promise<T>,
  withinMs = HELD_WITHIN_MS,
): Promise<T> {
  const giveUpAt = Date.now() + withinMs;
  let earlier: number | null = null;
  for (let wait = LOOK_EVERY_MS; ; wait = Math.min(2 * wait, LOOK_AT_LEAST_EVERY_MS)) {
    const named = await recoverCluster(dataFolder);
    earlier ??= named;
    try {
      return await start();
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      if (!HELD.test(said) && !PORT_TAKEN.test(said)) throw error;
      if (Date.now() >= giveUpAt) {
        throw HELD.test(said) ? stillHeld(dataFolder, earlier, said, withinMs, error) : error;
      }
    }
    await delay(wait);
  }
}

function stillHeld(
  dataFolder: string,
  earlier: number | null,
  said: string,
  withinMs: number,
  cause: unknown,
): DatabaseHeldError {
  const fatal = /FATAL: +(.*)/.exec(said)?.[1] ?? said;
  const who = earlier === null ? 'an earlier server' : `the earlier server, process ${earlier},`;
  const kill = earlier === null ? 'kill -9' : `kill -9 ${earlier}, and likewise others`;
  return new DatabaseHeldError(
    `The built-in database in ${dataFolder} is still held by what is left of ${who} after ${withinMs / 1_000} s. ` +
      `PostgreSQL says: ${fatal}. End all "postgres" processes of that folder (${kill}), or restart the machine or container; ` +
      `do not delete ${join(dataFolder, 'postmaster.pid')} while one of them runs. ` +
      'Or give this start a database of its own with DATABASE_URL or CONSENTRY_DATA_DIR.',
    { cause },
  );
}

/** A process id that no system uses. */
const NOBODY = 2_147_483_647;

/**
 * Ends what is left of an earlier server: the server itself if it outlived its owner, and on Linux
 * the processes of its connections, which outlive a killed server as long as their queries run.
 *
 * PostgreSQL does not start while the pid in `postmaster.pid` belongs to any process, even a zombie
 * or, by now, another program. In that case the pid in the file is replaced by one that no process
 * has. The file is not removed: in it PostgreSQL finds the earlier server's shared memory, and it
 * must not start while a process uses that memory.
 *
 * @returns the pid in the file; null if there was none
 */
async function recoverCluster(dataFolder: string): Promise<number | null> {
  const path = join(dataFolder, 'postmaster.pid');
  const content = await readIfThere(path);
  const pid = Number.parseInt(content ?? '', 10);
  const isNamed = Number.isInteger(pid) && pid > 0;
  // It was being written when the power failed.
  if (content !== null && !isNamed) await rm(path, { force: true });
  if (isNamed && (await isServerOf(dataFolder, pid))) {
    await endProcess({ pid, startedAt: startedAt(pid) }, 'SIGINT');
  }
  const left = await processesOf(dataFolder);
  await Promise.all(left.map((each) => endProcess(each, 'SIGQUIT')));
  if (content !== null && isNamed && hasProcess(pid)) {
    await writeFile(path, content.replace(/^\s*\d+/, String(NOBODY)));
  }
  return isNamed && pid !== NOBODY ? pid : null;
}

async function isServerOf(dataFolder: string, pid: number): Promise<boolean> {
  if (!isRunning({ pid, startedAt: startedAt(pid) })) return false;
  if (process.platform === 'linux') {
    return (await processesOf(dataFolder)).some((each) => each.pid === pid);
  }
  // ps fails for a process that has just ended.
  const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return stdout.includes(dataFolder);
}

/** A server and its processes all run in the data folder, and no other program called postgres does. */
async function processesOf(dataFolder: string): Promise<ProcessIdentity[]> {
  if (process.platform !== 'linux') return [];
  const folder = await realpath(dataFolder);
  const found: ProcessIdentity[] = [];
  for (const pid of (await readdir('/proc')).map(Number).filter(Number.isInteger)) {
    const [cwd, program] = await Promise.all([linkOf(pid, 'cwd'), linkOf(pid, 'exe')]);
    const isPostgres = program !== null && basename(program).startsWith('postgres');
    if (cwd === folder && isPostgres) found.push({ pid, startedAt: startedAt(pid) });
  }
  return found;
}

async function linkOf(pid: number, name: 'cwd' | 'exe'): Promise<string | null> {
  // A process that has just ended has none, and another user's is not readable.
  return readlink(`/proc/${pid}/${name}`).catch(() => null);
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
