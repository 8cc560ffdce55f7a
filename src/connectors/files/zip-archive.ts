import { crc32 } from 'node:zlib';
import { fromFdPromise, type Entry, type ZipFile } from 'yauzl';
import { WITHIN } from '../header.js';
import { SourceError } from '../source-error.js';
import { refuseWithin } from './file-bytes.js';
import type { SourceFile } from './source-file.js';
import type { SourceBytes } from './source-text.js';

/** The files of a zip archive that have rows, and what else is in it. */
export interface ZipArchive {
  /** In the order of the archive; at least one. */
  readonly files: readonly ZippedFile[];
  /** Names of what is not read, as far as a person wants to know. */
  readonly ignored: readonly string[];
}

export interface ZippedFile extends SourceBytes {
  /** As in the archive. */
  readonly name: string;
}

const MOST_ENTRIES = 1_000;
/** Of files with rows: an export has one for each status. */
const MOST_FILES = 20;
/** Of all files together, unpacked. */
const MOST_BYTES = 64 * 2 ** 30;
/** A file that is larger than this when unpacked must not be packed by more than the ratio. */
const SMALL_BYTES = 64 * 2 ** 20;
const MOST_RATIO = 250;

/** What archives of folders have in them, besides the folders. */
const DEBRIS = /(^|\/)(__MACOSX\/|\.|Thumbs\.db$|desktop\.ini$)/i;
const TEXT_FILE = /\.(csv|tsv|tab|txt|json|jsonl|ndjson)$/i;
/** Never a table: `licensees.csv` may hold people who opted out. */
const FOR_PEOPLE = /(^|\/)(readme|license|licence|notice)[^/]*\.txt$/i;
const PACKED = /\.(zip|gz|tgz|bz2|xz|zst|7z|rar|tar|xlsx?|xlsm|xlsb|ods|numbers|parquet|avro)$/i;

/** Whether a zip archive is an Excel workbook, which is one too. */
const WORKBOOK = '[Content_Types].xml';

/**
 * Opens a zip archive. Names in it are only shown: nothing is written anywhere. Its files are unpacked
 * while they are read, and each must have the size and the checksum that the archive says.
 *
 * @throws SourceError if it is damaged, encrypted or too large, has no file with rows, or another archive
 */
export async function openZip(file: SourceFile): Promise<ZipArchive> {
  const { path } = file;
  const zip = await orBroken(path, () => fromFdPromise(file.fd, { autoClose: false }));
  if (zip.entryCount > MOST_ENTRIES) {
    throw tooLarge(
      path,
      `has ${zip.entryCount} entries, and no more than ${MOST_ENTRIES} are read`,
    );
  }
  const entries = await orBroken(path, () => entriesOf(zip));
  if (entries.some(({ fileName }) => fileName === WORKBOOK)) throw workbook(path);
  const ignored: string[] = [];
  const read: Entry[] = [];
  for (const entry of entries) {
    const name = shown(entry.fileName);
    if (name.endsWith('/') || DEBRIS.test(name)) continue;
    if (PACKED.test(name)) throw nested(path, name);
    if (!TEXT_FILE.test(name) || FOR_PEOPLE.test(name) || entry.uncompressedSize === 0) {
      ignored.push(name);
    } else read.push(entry);
  }
  refuse(path, read, await file.size());
  return { files: read.map((entry) => zippedFile(path, zip, entry)), ignored };
}

async function entriesOf(zip: ZipFile): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) entries.push(entry);
  return entries;
}

/** A name for messages: without what would move the cursor of a terminal, and not longer than a line. */
function shown(name: string): string {
  // eslint-disable-next-line no-control-regex
  return name.replace(/[\0-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?').slice(-200);
}

function refuse(path: string, entries: readonly Entry[], packedSize: number): void {
  const names = entries.map(({ fileName }) => shown(fileName));
  if (entries.length === 0) {
    throw new SourceError(
      'archive_without_file',
      { file: path },
      'The archive has no file with rows: none whose name ends in .csv, .tsv, .txt, .json, .jsonl or .ndjson.',
      'Check that it is the right one: unzip -l export.zip lists its files.',
    );
  }
  if (entries.length > MOST_FILES) {
    throw tooLarge(
      path,
      `has ${entries.length} files with rows, and no more than ${MOST_FILES} are read`,
    );
  }
  const twice = names.find((name, n) => names.indexOf(name) < n);
  if (twice !== undefined) throw brokenBy(path, `it has two files called ${twice}`);
  for (const [n, entry] of entries.entries()) {
    const name = names[n] ?? '';
    const { compressedSize, uncompressedSize } = entry;
    if (entry.isEncrypted()) throw encrypted(path, name);
    if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) throw unusual(path, name);
    if (uncompressedSize > SMALL_BYTES && uncompressedSize > MOST_RATIO * compressedSize) {
      throw tooLarge(path, `would grow by more than ${MOST_RATIO} times when ${name} is unpacked`);
    }
  }
  const sum = (size: (entry: Entry) => number) =>
    entries.reduce((all, each) => all + size(each), 0);
  if (sum(({ uncompressedSize }) => uncompressedSize) > MOST_BYTES) {
    throw tooLarge(path, 'has more than 64 GiB when it is unpacked');
  }
  // Files that share their bytes make an archive that is larger than it can be.
  if (sum(({ compressedSize }) => compressedSize) > packedSize) {
    throw brokenBy(path, 'its files overlap');
  }
}

function zippedFile(path: string, zip: ZipFile, entry: Entry): ZippedFile {
  const name = shown(entry.fileName);
  const file = path + WITHIN + name;
  return { name, path: file, bytes: () => unpacked(file, zip, entry) };
}

async function* unpacked(
  file: string,
  zip: ZipFile,
  entry: Entry,
): AsyncGenerator<Buffer, void, undefined> {
  let checksum = 0;
  let isFirst = true;
  const stream = await orBroken(file, () => zip.openReadStreamPromise(entry));
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      if (isFirst) refuseWithin(file, piece);
      isFirst = false;
      checksum = crc32(piece, checksum);
      yield piece;
    }
  } catch (error) {
    throw error instanceof SourceError || !(error instanceof Error) ? error : broken(file, error);
  }
  if (checksum !== entry.crc32) throw brokenBy(file, 'its checksum is another');
}

async function orBroken<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Error ? broken(path, error) : error;
  }
}

function broken(path: string, { message }: Error): SourceError {
  return brokenBy(path, message.replace(/\.$/, '').slice(0, 200));
}

function brokenBy(file: string, what: string): SourceError {
  return new SourceError(
    'archive_broken',
    { file },
    `The zip archive is damaged: ${what}.`,
    'Copy or export it again; unzip -t checks an archive.',
  );
}

function tooLarge(file: string, what: string): SourceError {
  return new SourceError(
    'archive_too_large',
    { file },
    `The archive ${what}.`,
    'If it is what it should be, unpack it, and migrate its files one by one, opt-outs first.',
  );
}

function encrypted(file: string, name: string): SourceError {
  return new SourceError(
    'archive_encrypted',
    { file },
    `${name} is encrypted.`,
    'Unpack the archive with its password: unzip export.zip asks for it.',
  );
}

function unusual(file: string, name: string): SourceError {
  return new SourceError(
    'file_is_archive',
    { file },
    `${name} is compressed in a way that is rare in zip archives, and cannot be read.`,
    'Unpack the archive: 7z x export.zip',
  );
}

function nested(file: string, name: string): SourceError {
  return new SourceError(
    'file_is_archive',
    { file },
    `${name} in this archive is an archive or a workbook itself, which is not looked into.`,
    'Unpack the archive, and give that file.',
  );
}

function workbook(file: string): SourceError {
  return new SourceError(
    'file_is_archive',
    { file },
    'This is an Excel workbook, which cannot be read.',
    'Save the sheet as "CSV UTF-8".',
  );
}
