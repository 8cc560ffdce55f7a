import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';

/**
 * Writes a file so that it is never read half-written, even if several processes write it at once.
 * Only the user can read it unless `mode` says otherwise.
 */
export async function writeWholeFile(path: string, text: string, mode = 0o600): Promise<void> {
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.new`;
  await writeFile(unfinished, text, { mode });
  await rename(unfinished, path);
}

/** The text of a file; null if it does not exist. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
