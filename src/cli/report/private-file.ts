import { createWriteStream } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { isRunning, startedAt, thisProcess } from '#file-lock';
import { UsageError } from '../ended.js';

/**
 * Writes a file that only its owner may read, since it has people's addresses. It is never seen
 * half-written: it gets its name when `write`, which ends the stream, is done.
 *
 * @throws UsageError if the file cannot be written
 */
export async function writePrivateFile(
  path: string,
  write: (file: Writable) => Promise<void>,
): Promise<void> {
  await requireWritable(path);
  const unfinished = unfinishedName(path);
  try {
    await write(createWriteStream(unfinished, { mode: 0o600, flags: 'wx' }));
    await rename(unfinished, path);
  } catch (error) {
    throw cannotWrite(path, error);
  } finally {
    await rm(unfinished, { force: true });
  }
}

const REMEDY = 'Give another path.';

/**
 * Call before long work that ends with a file, so that the work is not lost: creates a file beside
 * it and removes it again, with those that killed processes left in the folder.
 *
 * @param remedy a sentence for the error
 * @throws UsageError if no file can be written at `path`
 */
export async function requireWritable(path: string, remedy = REMEDY): Promise<void> {
  const unfinished = unfinishedName(path);
  const there = await stat(path).catch(() => null);
  // The file would replace a device.
  if (there !== null && !there.isFile()) throw noFile(path, there.isDirectory(), remedy);
  try {
    await (await open(unfinished, 'wx', 0o600)).close();
    await rm(unfinished);
  } catch (error) {
    throw cannotWrite(path, error, remedy);
  }
  await removeLeftOver(dirname(path));
}

/** Includes the process and its machine or container, since folders may be shared. */
function unfinishedName(path: string): string {
  const { pid, startedAt } = thisProcess();
  return `${path}.${pid}-${nameable(startedAt ?? '')}.${HOST}.new`;
}

const HOST = nameable(hostname());
const UNFINISHED = /\.(\d+)-([A-Za-z0-9-]*)\.([A-Za-z0-9-]+)\.new$/;

function nameable(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, '-');
}

/** They have people's addresses. In a shared folder, another user's files are theirs to remove. */
async function removeLeftOver(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, pid, since, host] = UNFINISHED.exec(name) ?? [];
    if (host !== HOST || since === undefined || isAtWork(Number(pid), since)) continue;
    await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

/** A process id alone is reused after a while. */
function isAtWork(pid: number, since: string): boolean {
  const now = startedAt(pid);
  return now === 'ended'
    ? false
    : now === null
      ? isRunning({ pid, startedAt: null })
      : nameable(now) === since;
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'nothing can be written there',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'its name is too long',
  EIO: 'the disk reports an error',
  EDQUOT: 'the quota of this user is used up',
  ERR_INVALID_ARG_VALUE: 'this is not a valid file name',
};

function noFile(path: string, isFolder: boolean, remedy: string): UsageError {
  return new UsageError(
    `${path} cannot be written: it is ${isFolder ? 'a folder' : 'not a regular file'}. ${remedy}`,
  );
}

/** An error of the file system in words; any other error, such as the ledger's, unchanged. */
function cannotWrite(path: string, error: unknown, remedy = REMEDY): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why = WHY[code];
  return why === undefined ? error : new UsageError(`${path} cannot be written: ${why}. ${remedy}`);
}
