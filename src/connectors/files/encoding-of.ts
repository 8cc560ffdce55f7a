import { isAscii, isUtf8 } from 'node:buffer';
import { feedsBeforeFault, NOT_WINDOWS_1252, type Encoding } from './encodings.js';

/** What the bytes of a file show about their encoding. */
export type EncodingFound =
  | { readonly encoding: Encoding; readonly by: 'mark' | 'zeros' | 'bytes'; readonly line: number }
  /** `line` has the first bytes that are not UTF-8; they are not certainly Windows-1252 either. */
  | { readonly encoding: null; readonly problem: 'not_utf8'; readonly line: number }
  | { readonly encoding: null; readonly problem: 'utf_32' | 'binary' };

/** Enough to see a byte order mark, or zeros. */
const BEGIN_BYTES = 512;

/**
 * Finds the encoding of a file; reads all of it, unless its beginning shows UTF-16. It is UTF-8 if all
 * of it is. It is Windows-1252 only if nothing in it can be meant as UTF-8 beyond ASCII: then every
 * byte is a character of Windows-1252 and none is a control character but tabs and line ends.
 */
export async function encodingOf(pieces: AsyncIterable<Buffer>): Promise<EncodingFound> {
  const reading = new Reading();
  for await (const bytes of pieces) {
    const found = reading.isFirst ? foundAtBegin(bytes.subarray(0, BEGIN_BYTES)) : null;
    if (found !== null) return found;
    reading.add(bytes);
  }
  return reading.end();
}

function foundAtBegin(begin: Buffer): EncodingFound | null {
  const line = 1;
  const mark = begin.subarray(0, 4).toString('latin1');
  if (mark === '\xff\xfe\0\0' || mark === '\0\0\xfe\xff') {
    return { encoding: null, problem: 'utf_32' };
  }
  if (mark.startsWith('\xff\xfe')) return { encoding: 'utf-16le', by: 'mark', line };
  if (mark.startsWith('\xfe\xff')) return { encoding: 'utf-16be', by: 'mark', line };
  if (mark.startsWith('\xef\xbb\xbf')) return { encoding: 'utf-8', by: 'mark', line };
  const zeros = [0, 0];
  begin.forEach((byte, n) => {
    if (byte === 0) zeros[n % 2] = (zeros[n % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = zeros;
  if (even + odd === 0) return null;
  // In Latin text every second byte of UTF-16 is zero, always on the same side.
  const isUtf16 = Math.min(even, odd) === 0 && even + odd > begin.length / 4;
  if (!isUtf16) return { encoding: null, problem: 'binary' };
  return { encoding: even > odd ? 'utf-16be' : 'utf-16le', by: 'zeros', line };
}

/** Characters of UTF-8 of more than one byte, in Latin-1. */
const LONG_CHARACTER = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/;
// Tabs and line ends are text.
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;
const FEED = 0x0a;
const NOTHING = Buffer.alloc(0);

class Reading {
  isFirst = true;
  /** The begin of a character that the next piece may complete. */
  #rest: Buffer = NOTHING;
  #line = 1;
  #faultLine: number | null = null;
  #hasLongCharacters = false;
  #isWindows1252 = true;

  add(piece: Buffer): void {
    this.isFirst = false;
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const end = bytes.length - unfinishedAtEnd(bytes);
    this.#look(bytes.subarray(0, end));
    this.#rest = bytes.subarray(end);
  }

  end(): EncodingFound {
    // A character that is cut off is that of a file that is: nothing else says that it is none.
    const isCutOff = this.#rest.length > 0 && this.#faultLine === null;
    if (isCutOff) return { encoding: null, problem: 'not_utf8', line: this.#line };
    this.#look(this.#rest);
    const line = this.#faultLine;
    if (line === null) return { encoding: 'utf-8', by: 'bytes', line: 1 };
    return this.#isWindows1252 && !this.#hasLongCharacters
      ? { encoding: 'windows-1252', by: 'bytes', line }
      : { encoding: null, problem: 'not_utf8', line };
  }

  #look(bytes: Buffer): void {
    const isPlain = isAscii(bytes);
    if (!isPlain) {
      if (this.#faultLine === null && !isUtf8(bytes)) {
        this.#faultLine = this.#line + feedsBeforeFault(bytes, 'utf-8');
      }
      const text = bytes.toString('latin1');
      this.#hasLongCharacters ||= LONG_CHARACTER.test(text);
      this.#isWindows1252 &&= !NOT_WINDOWS_1252.test(text) && !CONTROLS.test(text);
    } else if (this.#isWindows1252) this.#isWindows1252 = !CONTROLS.test(bytes.toString('latin1'));
    this.#line += feeds(bytes);
  }
}

/** How many bytes at the end begin a character of UTF-8 that is not complete. */
function unfinishedAtEnd(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}

function feeds(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(FEED); at !== -1; at = bytes.indexOf(FEED, at + 1)) count += 1;
  return count;
}
