/**
 * A lock between processes: a file created with O_EXCL that names its owner. The owner frees it
 * when done; if the owner is dead, another process takes it over. Plain Node without dependencies,
 * because `bootstrap.mjs` needs it before anything is installed; the sources import it as
 * `#file-lock`.
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const LOOK_AGAIN_MS = 100;
/** A lock file without a readable owner is still being written, or its writer died meanwhile. */
const HALF_WRITTEN_MS = 10_000;

/**
 * Runs `work` while holding the lock file at `path` and returns what it returns.
 *
 * @param {string} path
 * @param {() => Promise<any>} work
 * @param {{ onWait?: (ownerPid: number | null) => void }} [options] `onWait` is called once, when
 *   another process holds the lock
 */
export async function withFileLock(path, work, options = {}) {
  const nonce = await acquire(path, options.onWait ?? (() => undefined));
  try {
    return await work();
  } finally {
    const current = await readOwner(path);
    if (current?.nonce === nonce) await rm(path, { force: true });
  }
}

async function acquire(path, onWait) {
  const owner = { ...thisProcess(), nonce: randomUUID() };
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  for (;;) {
    if (await createExclusively(path, JSON.stringify(owner))) return owner.nonce;
    const holder = await readOwner(path);
    if (holder ? !isRunning(holder) : await isOld(path)) {
      await clearStale(path, holder?.nonce ?? 'half-written');
      continue;
    }
    if (!told) onWait(holder?.pid ?? null);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/**
 * Removes the lock of a dead owner. Two waiters may have seen the same dead owner, and the slower
 * one must not remove the new lock of the faster one. So only the holder of a marker named after
 * the dead owner's nonce may remove the lock, and it checks again before it does.
 */
async function clearStale(path, nonce) {
  const marker = `${path}.stale-${nonce}`;
  if (!(await createExclusively(marker, ''))) {
    if (await isOld(marker)) await rm(marker, { force: true });
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    return;
  }
  try {
    const holder = await readOwner(path);
    const same = holder ? holder.nonce === nonce : await isOld(path);
    if (same) await rm(path, { force: true });
  } finally {
    await rm(marker, { force: true });
  }
}

async function createExclusively(path, content) {
  let file;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
  return true;
}

async function readOwner(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}

async function isOld(path) {
  try {
    return Date.now() - (await stat(path)).mtimeMs > HALF_WRITTEN_MS;
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

/** This process, in the form that `isRunning` takes. */
export function thisProcess() {
  return { pid: process.pid, startedAt: startedAt(process.pid) };
}

/**
 * Whether exactly that process still runs. A pid alone is not enough: in a container the same small
 * pids come back at every start.
 */
export function isRunning({ pid, startedAt: then }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  const now = startedAt(pid);
  return now !== 'ended' && (then === null || now === null || now === then);
}

/** When the process began, only for comparison; null if the system does not say. */
export function startedAt(pid) {
  if (process.platform === 'linux') return linuxStartedAt(pid);
  if (process.platform === 'win32') return null;
  try {
    const line = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    });
    return line.trim() || 'ended';
  } catch {
    // ps exits with 1 for a pid that is gone.
    return 'ended';
  }
}

function linuxStartedAt(pid) {
  let fields;
  try {
    // The command, in brackets, may have blanks: count from the last bracket. `state` is field 3,
    // `starttime` (clock ticks since boot) is field 22.
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return 'ended';
    return null;
  }
  // A zombie has ended; it only waits for its parent to collect it.
  return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19];
}
