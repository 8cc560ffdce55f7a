import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/**
 * Writes a file for its owner alone, since it holds people's addresses. Nobody sees half of it: it
 * gets its name when `write` is through, which ends the stream.
 */
export async function writePrivateFile(
  path: string,
  write: (file: Writable) => Promise<void>,
): Promise<void> {
  const unfinished = `${path}.${process.pid}.new`;
  try {
    await write(createWriteStream(unfinished, { mode: 0o600 }));
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}
