/** The encodings that text files are read in. */
export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Decodes pieces of a file, in order; throws `TypeError` for bytes that the encoding does not have. */
export interface Decoder {
  decode(bytes: Buffer): string;
  /** The end of the file. Throws `TypeError` if it is within a character. */
  end(): void;
}

/** Without its byte order mark. */
export function decoderOf(encoding: Encoding): Decoder {
  if (encoding === 'windows-1252') return { decode: decodeWindows1252, end: () => undefined };
  const decoder = new TextDecoder(encoding, { fatal: true });
  return {
    decode: (bytes) => decoder.decode(bytes, { stream: true }),
    end: () => void decoder.decode(),
  };
}

/** 0x80 to 0x9F of Windows-1252, where it differs from Latin-1; `\0` where it has no character. */
const HIGH_CONTROLS = '€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ';

/** Bytes that Windows-1252 does not have, in Latin-1. */
export const NOT_WINDOWS_1252 = /[\x81\x8d\x8f\x90\x9d]/;

// Node's decoder of this name is that of Latin-1 in some of the versions that are supported.
function decodeWindows1252(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  if (NOT_WINDOWS_1252.test(text)) throw new TypeError('a byte is not Windows-1252');
  return text.replace(/[\x80-\x9f]/g, (byte) => HIGH_CONTROLS.charAt(byte.charCodeAt(0) - 0x80));
}

/** Line feeds before the first bytes of a piece that the encoding does not have. */
export function feedsBeforeFault(bytes: Buffer, encoding: Encoding): number {
  const text =
    encoding === 'windows-1252'
      ? bytes.toString('latin1').replace(NOT_WINDOWS_1252, '\uFFFD')
      : new TextDecoder(encoding).decode(bytes);
  let at = text.indexOf('\uFFFD');
  // What is odd at the start may end a character of the piece before.
  while (at !== -1 && at < 3) at = text.indexOf('\uFFFD', at + 1);
  return at === -1 ? 0 : text.slice(0, at).split('\n').length - 1;
}
