import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, thisProcess } from '#file-lock';
import type { ProcessIdentity } from '#file-lock';
import { ensurePrivateFolder } from '../paths.js';
import { writeWholeFile } from '../whole-file.js';

/** Prefix of all our temporary folders; nothing else is ever removed. */
export const TEMPORARY_PREFIX = 'consentry-';

interface ProcessRecord {
  readonly label: string;
  readonly owner: ProcessIdentity;
  readonly child: ProcessIdentity;
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
  readonly temporaryFolder: string | null;
}

const STOP_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 50;

/** Records a process that we started, so that another start can clean up if we cannot. */
export async function rememberProcess(
  stateFolder: string,
  entry: Omit<ProcessRecord, 'owner'>,
): Promise<void> {
  await ensurePrivateFolder(join(stateFolder, 'processes'));
  const record: ProcessRecord = { ...entry, owner: thisProcess() };
  await writeWholeFile(recordPath(stateFolder, entry.child.pid), JSON.stringify(record));
}

export async function forgetProcess(stateFolder: string, pid: number): Promise<void> {
  await rm(recordPath(stateFolder, pid), { force: true });
}

/**
 * Ends the processes and removes the temporary folders that dead owners left behind.
 *
 * @returns the labels of what was ended
 */
export async function endOrphans(stateFolder: string): Promise<string[]> {
  const ended: string[] = [];
  for (const path of await recordPaths(stateFolder)) {
    const record = await readRecord(path);
    if (record === null || isRunning(record.owner)) continue;
    if (isRunning(record.child)) {
      await endProcess(record.child, record.stopSignal);
      ended.push(record.label);
    }
    const folder = record.temporaryFolder;
    if (folder !== null && basename(folder).startsWith(TEMPORARY_PREFIX)) {
      await rm(folder, { recursive: true, force: true });
    }
    await rm(path, { force: true });
  }
  return ended;
}

/** Ends a process that is not a child of ours and waits until it is gone. */
export async function endProcess(target: ProcessIdentity, signal: NodeJS.Signals): Promise<void> {
  for (const step of [signal, 'SIGKILL'] as const) {
    try {
      process.kill(target.pid, step);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw error;
    }
    const deadline = Date.now() + STOP_WITHIN_MS;
    while (Date.now() < deadline) {
      if (!isRunning(target)) return;
      await delay(LOOK_EVERY_MS);
    }
  }
  throw new Error(
    `Process ${target.pid}, left over from an earlier start, does not end. End it by hand: kill -9 ${target.pid}`,
  );
}

function recordPath(stateFolder: string, pid: number): string {
  return join(stateFolder, 'processes', `${pid}.json`);
}

async function recordPaths(stateFolder: string): Promise<string[]> {
  const folder = join(stateFolder, 'processes');
  try {
    const names = await readdir(folder);
    return names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Null if another start has just cleaned up the same record. */
async function readRecord(path: string): Promise<ProcessRecord | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
