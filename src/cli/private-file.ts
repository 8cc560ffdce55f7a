import { createWriteStream } from 'node:fs';
import { access, constants, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { UsageError } from './ended.js';

/**
 * Writes a file for its owner alone, since it holds people's addresses. Nobody sees half of it: it
 * gets its name when `write` is through, which ends the stream.
 *
 * @throws UsageError where the file cannot be written
 */
export async function writePrivateFile(
  path: string,
  write: (file: Writable) => Promise<void>,
): Promise<void> {
  await requireWritable(path);
  const unfinished = `${path}.${process.pid}.new`;
  try {
    await write(createWriteStream(unfinished, { mode: 0o600 }));
    await rename(unfinished, path);
  } catch (error) {
    throw cannotWrite(path, error);
  } finally {
    await rm(unfinished, { force: true });
  }
}

const REMEDY = 'Give another path.';

/**
 * Before work that ends with a file, so that the work is not lost.
 *
 * @param remedy a sentence for the error
 * @throws UsageError where a file cannot be written at `path`
 */
export async function requireWritable(path: string, remedy = REMEDY): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw cannotWrite(path, error, remedy);
  }
  const there = await stat(path).catch(() => null);
  if (there?.isDirectory()) throw cannotWrite(path, { code: 'EISDIR' }, remedy);
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'nothing can be written there',
  ENOSPC: 'the disk is full',
};

/** What the file system says, in words; any other error as it is. */
function cannotWrite(path: string, error: unknown, remedy = REMEDY): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  const why = WHY[String(code)];
  return why === undefined ? error : new UsageError(`${path} cannot be written: ${why}. ${remedy}`);
}
