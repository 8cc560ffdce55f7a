import { createReadStream } from 'node:fs';

/** In bytes. A larger file is not written by hand, but for example a source. */
export const LARGEST_SMALL_FILE = 4 * 1_048_576;

/** The text of a file that a person wrote; null if it is larger than 4 MiB. Throws what Node throws. */
export async function readSmallText(path: string): Promise<string | null> {
  const pieces: Buffer[] = [];
  let size = 0;
  // A device such as /dev/zero has no end.
  for await (const piece of createReadStream(path, { end: LARGEST_SMALL_FILE })) {
    pieces.push(piece as Buffer);
    size += (piece as Buffer).length;
  }
  return size > LARGEST_SMALL_FILE ? null : Buffer.concat(pieces).toString();
}
