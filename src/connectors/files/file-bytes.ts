import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SourceError } from '../source-error.js';
import type { SourceFile } from './source-file.js';

const CHUNK_BYTES = 262_144;

interface Archive {
  readonly magic: readonly number[];
  /** Offset of the magic bytes from the beginning of the file. */
  readonly at?: number;
  readonly kind: string;
  readonly remedy: string;
}

const ZIP: Archive = {
  magic: [0x50, 0x4b, 0x03, 0x04],
  kind: 'a zip archive or an Excel workbook',
  remedy: 'Unpack it (unzip export.zip), or save the sheet as "CSV UTF-8".',
};

const EMPTY_ZIP: Archive = { ...ZIP, magic: [0x50, 0x4b, 0x05, 0x06] };

/** How files begin that cannot be read. */
const ARCHIVES: readonly Archive[] = [
  {
    magic: [0xd0, 0xcf, 0x11, 0xe0],
    kind: 'an old Excel workbook',
    remedy: 'Save the sheet as "CSV UTF-8".',
  },
  {
    magic: [0x42, 0x5a, 0x68],
    kind: 'a bzip2 archive',
    remedy: 'Unpack it: bunzip2 export.csv.bz2',
  },
  {
    magic: [0xfd, 0x37, 0x7a, 0x58],
    kind: 'an xz archive',
    remedy: 'Unpack it: unxz export.csv.xz',
  },
  {
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    kind: 'a Zstandard archive',
    remedy: 'Unpack it: unzstd export.csv.zst',
  },
  {
    magic: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c],
    kind: 'a 7-Zip archive',
    remedy: 'Unpack it: 7z x export.7z',
  },
  {
    magic: [0x52, 0x61, 0x72, 0x21],
    kind: 'a RAR archive',
    remedy: 'Unpack it: unrar x export.rar',
  },
  {
    magic: [0x75, 0x73, 0x74, 0x61, 0x72],
    at: 257,
    kind: 'a tar archive',
    remedy: 'Unpack it: tar -xf export.tar',
  },
  {
    magic: [0x50, 0x41, 0x52, 0x31],
    kind: 'a Parquet file',
    remedy: 'Export it as CSV or as JSON lines.',
  },
];

/**
 * The bytes of a file in pieces, decompressed if its first bytes are those of gzip, whatever its
 * name. Throws `SourceError` if it cannot be read or decompressed, or is of an unsupported kind.
 */
export async function* readBytes(file: SourceFile): AsyncGenerator<Buffer, void, undefined> {
  const begin = await file.firstBytes(BEGIN_BYTES);
  refuseArchive(file.path, begin, '');
  if (!isGzip(begin)) return yield* file.bytes();
  let first = true;
  for await (const bytes of unpacked(file)) {
    if (first) refusePacked(file.path, bytes);
    first = false;
    yield bytes;
  }
}

/** The magic bytes of an archive are within this distance from its beginning. */
const BEGIN_BYTES = 512;

const isGzip = (begin: Buffer): boolean => begin[0] === 0x1f && begin[1] === 0x8b;

const beginsAs = (begin: Buffer, { magic, at = 0 }: Archive): boolean =>
  magic.every((byte, i) => begin[at + i] === byte);

/** By its first bytes, whatever its name. Throws `SourceError` if it cannot be read. */
export async function isZip(file: SourceFile): Promise<boolean> {
  const begin = await file.firstBytes(BEGIN_BYTES);
  return beginsAs(begin, ZIP) || beginsAs(begin, EMPTY_ZIP);
}

/** Throws `SourceError` for the begin of a file in an archive that is an archive itself. */
export function refuseWithin(file: string, begin: Buffer): void {
  refuseArchive(file, begin, ' within a zip archive', [ZIP, ...ARCHIVES]);
  if (!isGzip(begin)) return;
  throw new SourceError(
    'file_is_archive',
    { file },
    'This is gzip within a zip archive, which cannot be read.',
    'Unpack the archive: unzip export.zip',
  );
}

function refuseArchive(
  file: string,
  begin: Buffer,
  where: string,
  archives: readonly Archive[] = ARCHIVES,
): void {
  const archive = archives.find((some) => beginsAs(begin, some));
  if (archive === undefined) return;
  const problem = `This is ${archive.kind}${where}, which cannot be read.`;
  throw new SourceError('file_is_archive', { file }, problem, archive.remedy);
}

/** The compressed data may be an archive itself, as in a .tar.gz. */
function refusePacked(file: string, begin: Buffer): void {
  refuseArchive(file, begin, ', compressed with gzip', [ZIP, ...ARCHIVES]);
  if (!isGzip(begin)) return;
  throw new SourceError(
    'file_is_archive',
    { file },
    'This is gzip within gzip, which cannot be read.',
    'Unpack it once: gunzip export.csv.gz',
  );
}

async function* unpacked(file: SourceFile): AsyncGenerator<Buffer, void, undefined> {
  const packed = Readable.from(file.bytes());
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  packed.on('error', (error) => gunzip.destroy(error));
  try {
    yield* packed.pipe(gunzip) as AsyncIterable<Buffer>;
    // zlib stops at a zero byte after the compressed data; what follows may be rows.
    const rest = (await file.size()) - gunzip.bytesWritten;
    if (rest > 0) throw followed(file.path, rest);
  } catch (error) {
    throw isZlibError(error) ? broken(file.path, error) : error;
  } finally {
    packed.destroy();
  }
}

function followed(file: string, bytes: number): SourceError {
  return new SourceError(
    'gzip_broken',
    { file },
    `After the compressed data there are ${bytes} bytes that are not compressed.`,
    'Compress the whole file: gunzip -c export.csv.gz shows what is read.',
  );
}

function isZlibError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

function broken(file: string, error: NodeJS.ErrnoException): SourceError {
  const cutOff = error.code === 'Z_BUF_ERROR';
  return new SourceError(
    'gzip_broken',
    { file },
    cutOff
      ? 'The gzip file is cut off before its end.'
      : `The gzip file is damaged (${error.message}).`,
    'Copy or export it again; gzip -t checks a file.',
  );
}
