import { TextDecoder } from 'node:util';
import { readBytes } from './file-bytes.js';
import { SourceError } from '../source-error.js';
import type { SourceFile } from './source-file.js';

const LINE_FEED = 0x0a;

/**
 * The text of a UTF-8 file, which may be compressed with gzip, in pieces without its byte order
 * mark. Throws `SourceError` if the file cannot be read or has another encoding.
 */
export async function* readUtf8(file: SourceFile): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  let first = true;
  for await (const bytes of readBytes(file)) {
    if (first) refuseBinary(file.path, bytes);
    first = false;
    const text = decode(decoder, bytes);
    if (text === null) throw notUtf8(file.path, line + feedsBeforeFault(bytes));
    line += feeds(bytes, bytes.length);
    yield text;
  }
  if (decode(decoder, null) === null) throw notUtf8(file.path, line);
}

function decode(decoder: TextDecoder, bytes: Buffer | null): string | null {
  try {
    return bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function feeds(bytes: Buffer, end: number): number {
  let count = 0;
  let at = bytes.indexOf(LINE_FEED);
  while (at !== -1 && at < end) {
    count += 1;
    at = bytes.indexOf(LINE_FEED, at + 1);
  }
  return count;
}

/**
 * Line feeds before the first byte that is not UTF-8; a character cut off by the chunk does not
 * count.
 */
function feedsBeforeFault(bytes: Buffer): number {
  const text = new TextDecoder().decode(bytes);
  let at = text.indexOf('\uFFFD');
  // A continuation byte at the start may end a character of the chunk before.
  while (at !== -1 && at < 3) at = text.indexOf('\uFFFD', at + 1);
  return at === -1 ? 0 : text.slice(0, at).split('\n').length - 1;
}

function refuseBinary(file: string, bytes: Buffer): void {
  const begin = bytes.subarray(0, 512);
  if (isUtf16(begin)) {
    throw new SourceError(
      'encoding_not_utf8',
      { file, line: 1 },
      'The file is UTF-16 (such as "Unicode text" from a spreadsheet), not UTF-8.',
      `Save it as "CSV UTF-8", or convert it: iconv -f UTF-16 -t UTF-8 export.csv > export-utf8.csv`,
    );
  }
  if (begin.includes(0)) {
    throw new SourceError(
      'encoding_not_utf8',
      { file, line: 1 },
      'The file has bytes that no text has, so it is neither CSV nor JSON.',
      'Check that it is the right file; file export.csv says what it is.',
    );
  }
}

/**
 * By its byte order mark; or because in Latin text every second byte is zero, always on the same
 * side.
 */
function isUtf16(begin: Buffer): boolean {
  const mark = begin.length >= 2 ? begin.readUInt16BE(0) : 0;
  if (mark === 0xfffe || mark === 0xfeff) return true;
  const sides = [0, 0];
  begin.forEach((byte, n) => {
    if (byte === 0) sides[n % 2] = (sides[n % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = sides;
  return Math.min(even, odd) === 0 && Math.max(even, odd) > begin.length / 4;
}

function notUtf8(file: string, line: number): SourceError {
  return new SourceError(
    'encoding_not_utf8',
    { file, line },
    'The file is not UTF-8 here, so names and addresses would be read wrong.',
    `Save it as "CSV UTF-8", or, if it comes from Windows, convert it: ` +
      `iconv -f WINDOWS-1252 -t UTF-8 export.csv > export-utf8.csv`,
  );
}
