import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';

/**
 * Writes a file so that nobody ever reads half of it, also when several write it at once. Only the
 * user can read it unless `mode` says otherwise.
 */
export async function writeWholeFile(path: string, text: string, mode = 0o600): Promise<void> {
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.new`;
  await writeFile(unfinished, text, { mode });
  await rename(unfinished, path);
}
