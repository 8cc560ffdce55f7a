import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { SourceError } from './source-error.js';

const CHUNK_BYTES = 262_144;

/** How files begin that no reader here understands. */
const ARCHIVES: readonly { magic: readonly number[]; kind: string; remedy: string }[] = [
  {
    magic: [0x50, 0x4b, 0x03, 0x04],
    kind: 'a zip archive or an Excel workbook',
    remedy: 'Unpack it (unzip export.zip), or save the sheet as "CSV UTF-8".',
  },
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
    magic: [0x50, 0x41, 0x52, 0x31],
    kind: 'a Parquet file',
    remedy: 'Export it as CSV or as JSON lines.',
  },
];

/**
 * The bytes of a file in pieces, unpacked where it is gzip by its first bytes, whatever its name.
 * Throws `SourceError` where it cannot be read or unpacked, or is of a kind nobody here reads.
 */
export async function* readBytes(file: string): AsyncGenerator<Buffer, void, undefined> {
  try {
    const magic = await firstBytes(file);
    const archive = ARCHIVES.find((kind) => kind.magic.every((byte, i) => magic[i] === byte));
    if (archive !== undefined) {
      const problem = `This is ${archive.kind}, which is not read here.`;
      throw new SourceError('file_is_archive', { file }, problem, archive.remedy);
    }
    yield* magic[0] === 0x1f && magic[1] === 0x8b ? unpacked(file) : plain(file);
  } catch (error) {
    throw isSystemError(error) ? unreadable(file, error) : error;
  }
}

async function firstBytes(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function* plain(file: string): AsyncGenerator<Buffer, void, undefined> {
  yield* createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>;
}

async function* unpacked(file: string): AsyncGenerator<Buffer, void, undefined> {
  const packed = createReadStream(file, { highWaterMark: CHUNK_BYTES });
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  packed.on('error', (error) => gunzip.destroy(error));
  try {
    yield* packed.pipe(gunzip) as AsyncIterable<Buffer>;
  } catch (error) {
    throw isZlibError(error) ? broken(file, error) : error;
  } finally {
    packed.destroy();
  }
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

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

function unreadable(file: string, error: NodeJS.ErrnoException): SourceError {
  const problem =
    error.code === 'ENOENT'
      ? 'There is no such file.'
      : error.code === 'EISDIR'
        ? 'This is a folder, not a file.'
        : `The file cannot be read (${error.code ?? error.message}).`;
  return new SourceError(
    'file_unreadable',
    { file },
    problem,
    'Check the path and that this user may read it.',
  );
}
