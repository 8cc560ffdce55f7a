import { SourceError } from '../source-error.js';
import { encodingOf, type EncodingFound } from './encoding-of.js';
import {
  decoderOf,
  ENCODINGS,
  feedsBeforeFault,
  type Decoder,
  type Encoding,
} from './encodings.js';

/** Something of a file that is text: the file, unpacked, or a file in an archive. */
export interface SourceBytes {
  /** Its name in messages. */
  readonly path: string;
  /** Its bytes in pieces; each call starts from the beginning. Throws `SourceError`. */
  bytes(): AsyncIterable<Buffer>;
}

/** A text that can be read several times. */
export interface SourceText {
  readonly path: string;
  /** What was assumed about it, as sentences for a person. */
  readonly notices: readonly string[];
  /**
   * Its text in pieces without its byte order mark; each call starts from the beginning. Throws
   * `SourceError` if it cannot be read or has another encoding.
   */
  pieces(): AsyncGenerator<string, void, undefined>;
}

const NAMES: Readonly<Record<Encoding, string>> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16 (little-endian)',
  'utf-16be': 'UTF-16 (big-endian)',
  'windows-1252': 'Windows-1252',
};

/**
 * A text in the encoding that is given, else in the one that its bytes show. Reads all of it once,
 * unless an encoding is given.
 *
 * @throws SourceError if the encoding is not certain, or is not the given one
 */
export async function openText(source: SourceBytes, given: Encoding | null): Promise<SourceText> {
  const { path } = source;
  const found = await encodingOf(given === null ? source.bytes() : beginOf(source.bytes()));
  if (given !== null) {
    if (found.encoding !== null && found.by === 'mark' && found.encoding !== given) {
      throw otherwise(path, found.encoding, given);
    }
    return { path, notices: [], pieces: () => decoded(source, given) };
  }
  if (found.encoding === null) throw unknown(path, found);
  const { encoding } = found;
  const notices = encoding === 'utf-8' ? [] : [assumed(path, encoding, found)];
  return { path, notices, pieces: () => decoded(source, encoding) };
}

async function* beginOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for await (const bytes of pieces) return yield bytes;
}

async function* decoded(
  source: SourceBytes,
  encoding: Encoding,
): AsyncGenerator<string, void, undefined> {
  const { path } = source;
  const decoder = decoderOf(encoding);
  let line = 1;
  for await (const piece of source.bytes()) {
    const text = orNull(() => decoder.decode(piece));
    if (text === null) throw notIn(path, line + feedsBeforeFault(piece, encoding), encoding);
    yield text;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) line += 1;
  }
  if (orNull(() => ended(decoder)) === null) throw notIn(path, line, encoding);
}

function ended(decoder: Decoder): true {
  decoder.end();
  return true;
}

function orNull<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** @param found by what the encoding shows, and the first line that shows it */
function assumed(
  path: string,
  encoding: Encoding,
  { by, line }: { readonly by: string; readonly line: number },
): string {
  const why = by === 'bytes' ? `, because line ${line} is not UTF-8` : '';
  return `${path} is read as ${NAMES[encoding]}${why}. If that is wrong, give --encoding.`;
}

const GIVE = `Give --encoding (${ENCODINGS.join(', ')}), or save the file as "CSV UTF-8".`;

function unknown(
  file: string,
  found: Extract<EncodingFound, { readonly encoding: null }>,
): SourceError {
  switch (found.problem) {
    case 'not_utf8':
      return new SourceError(
        'encoding_not_utf8',
        { file, line: found.line },
        'The file is not UTF-8 here, and it may not be Windows-1252 either, so names and addresses could be read wrong.',
        GIVE,
      );
    case 'utf_32':
      return new SourceError(
        'encoding_not_utf8',
        { file, line: 1 },
        'The file is UTF-32.',
        'Convert it: iconv -f UTF-32 -t UTF-8 export.csv > export-utf8.csv',
      );
    case 'binary':
      return new SourceError(
        'encoding_not_utf8',
        { file, line: 1 },
        'The file has bytes that no text has, so it is neither CSV nor JSON.',
        'Check that it is the right file; file export.csv says what it is.',
      );
  }
}

function notIn(file: string, line: number, encoding: Encoding): SourceError {
  return new SourceError(
    'encoding_not_utf8',
    { file, line },
    `From here on the file is not ${NAMES[encoding]}.`,
    GIVE,
  );
}

function otherwise(file: string, encoding: Encoding, given: Encoding): SourceError {
  return new SourceError(
    'encoding_not_utf8',
    { file, line: 1 },
    `The file begins with the mark of ${NAMES[encoding]}, but is to be read as ${NAMES[given]}.`,
    'Leave --encoding out.',
  );
}
