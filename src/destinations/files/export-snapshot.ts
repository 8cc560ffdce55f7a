import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { microseconds } from '../../consent/record/timestamps.js';
import type { SnapshotFormat } from '../../contracts/sync.js';
import {
  AFTER_A_RESTORED_LEDGER,
  DestinationError,
  type Destination,
  type Marker,
  type Snapshot,
  type StoredRow,
} from '../destination.js';
import { columnsOf, memberValues, rowValues, type RowColumn } from '../row-columns.js';
import { csv, ndjson } from './text-formats.js';
import { parquet } from './parquet.js';
import { RowFile, type RowFormat, type RowValues, type SnapshotFile } from './row-file.js';

const FORMATS: Readonly<Record<SnapshotFormat, (columns: readonly RowColumn[]) => RowFormat>> = {
  ndjson,
  csv,
  parquet,
};

const KIND = 'consentry consent snapshot';
const MANIFEST = 'manifest.json';
/** Files of snapshots, also of those that were never finished. */
const OURS =
  /^(consent|list_members)-\d+-[0-9a-f]{8}\.(ndjson|csv|parquet)$|^manifest\.json\.[0-9a-f]{8}\.new$/;

/** `manifest.json` of a folder: which files are the snapshot. Others are not, or no longer. */
export interface SnapshotManifest {
  readonly kind: typeof KIND;
  readonly version: 1;
  readonly format: SnapshotFormat;
  readonly files: readonly SnapshotFile[];
  readonly columns: readonly ManifestColumn[];
  readonly rows: number;
  /** Memberships of lists; null of a sync without them. */
  readonly listMembers: {
    readonly files: readonly SnapshotFile[];
    readonly columns: readonly ManifestColumn[];
    readonly rows: number;
  } | null;
  readonly syncId: string;
  readonly accountId: string;
  readonly generation: number;
  readonly runId: string;
  readonly sweptAt: string | null;
  /** RFC 3339. */
  readonly writtenAt: string;
}

type ManifestColumn = Pick<RowColumn, 'name' | 'type' | 'nullable'>;

export interface SnapshotOptions {
  /** Created if it is not there, for its owner alone. */
  readonly folder: string;
  readonly format: SnapshotFormat;
  /** Other names for columns, by their default names. */
  readonly columns: Readonly<Record<string, string>>;
}

/**
 * Writes all rows of a destination, those of deleted and merged profiles too, into a file of a
 * folder. Whoever reads by the manifest sees the former snapshot or this one, whole: the file is on
 * the disk before the manifest is replaced, and the former file is removed after that.
 *
 * @throws DestinationError if the folder cannot be written, or is another sync's
 */
export async function exportSnapshot(
  source: Destination,
  { folder, format, columns: names }: SnapshotOptions,
): Promise<SnapshotManifest> {
  return source.snapshot(async ({ marker, rows, members }) => {
    const columns = columnsOf(names, members !== null, (problem) => {
      throw new DestinationError(`${folder}: ${problem}`, false);
    });
    if (marker === null) {
      throw new DestinationError(
        `${source.shown}: no sync has written there, so there is nothing to write to ${folder}. Run ` +
          `the sync first.`,
        false,
      );
    }
    await inFolder(folder, () => mkdir(folder, { recursive: true, mode: 0o700 }));
    await refuseOthers(folder, marker);
    const written = async (kind: string, of: readonly RowColumn[], pages: Pages) => {
      const name = `${kind}-${marker.generation}-${randomBytes(4).toString('hex')}.${format}`;
      const file = await writeRows(folder, name, FORMATS[format](of), pages);
      return { files: [file], columns: of.map(shownColumn), rows: file.rows };
    };
    const consent = await written('consent', columns.rows, asRead(rows, marker));
    const listMembers =
      members && (await written('list_members', columns.members, valuesOf(members, memberValues)));
    const manifest: SnapshotManifest = {
      kind: KIND,
      version: 1,
      format,
      ...consent,
      listMembers,
      syncId: marker.syncId,
      accountId: marker.accountId,
      generation: marker.generation,
      runId: marker.runId,
      sweptAt: marker.sweptAt,
      writtenAt: new Date().toISOString(),
    };
    await inFolder(folder, () => replaceManifest(folder, manifest));
    return manifest;
  });
}

/**
 * Compares the marker of the rows with the files that were written of them. Both were in one state after
 * each run: if the files are ahead, the database of the rows was restored from a backup, and has people
 * who were erased since. For the beginning of a run: later, the marker may have caught up.
 *
 * @throws DestinationError if so, unless the account is read as a whole anyway
 */
export async function refuseRestored(
  folder: string,
  { syncId, generation, sweptAt }: Marker,
): Promise<void> {
  const path = join(folder, MANIFEST);
  const text = await inFolder(folder, () => readIfThere(path));
  const found = text === null ? null : manifestIn(text);
  if (sweptAt === null || found?.kind !== KIND || found.syncId !== syncId) return;
  const { generation: written = 0, sweptAt: sweptBefore = null } = found;
  const wasSweptSince = sweptBefore === null || microseconds(sweptAt) > microseconds(sweptBefore);
  if (generation >= written || wasSweptSince) return;
  throw new DestinationError(
    `${path}: the files are newer than the rows in the ledger's database (${written} transactions, not ` +
      `${generation}): the ledger was restored from a backup. Nothing was written. 'consentry sync reset' reads ` +
      `the whole account again and finds who is gone; ${AFTER_A_RESTORED_LEDGER}`,
    false,
  );
}

type Pages = AsyncIterable<readonly RowValues[]>;

async function writeRows(
  folder: string,
  name: string,
  format: RowFormat,
  pages: Pages,
): Promise<SnapshotFile> {
  const file = await inFolder(folder, () => RowFile.create(folder, name, format));
  try {
    for await (const page of pages) await inFolder(folder, () => file.write(page));
    return await inFolder(folder, () => file.finish());
  } catch (error) {
    await file.remove();
    throw error;
  }
}

/** As the view has it: the last whole reading found a row too, if it is not gone. */
function asRead(pages: Snapshot['rows'], { sweptAt }: Marker): Pages {
  return valuesOf(pages, (row: StoredRow) => {
    const isPresent = row.deletedAt === null && row.mergedInto === null;
    const isOlder = isPresent && sweptAt !== null && sweptAt > row.lastReadAt;
    return rowValues(isOlder ? { ...row, lastReadAt: sweptAt } : row);
  });
}

async function* valuesOf<T>(
  pages: AsyncIterable<readonly T[]>,
  of: (row: T) => RowValues,
): AsyncGenerator<RowValues[], void, undefined> {
  for await (const page of pages) yield page.map(of);
}

function shownColumn({ name, type, nullable }: RowColumn): ManifestColumn {
  return { name, type, nullable };
}

async function refuseOthers(folder: string, { syncId, accountId }: Marker): Promise<void> {
  const path = join(folder, MANIFEST);
  const text = await inFolder(folder, () => readIfThere(path));
  if (text === null) return;
  const found = manifestIn(text);
  if (found?.kind === KIND && found.syncId === syncId && found.accountId === accountId) return;
  const whose =
    found?.kind === KIND
      ? `another sync's: ${found.syncId}, of the account ${found.accountId}`
      : 'not one of a snapshot of consent';
  throw new DestinationError(
    `${path}: it is ${whose}. Give this sync a folder of its own, or remove the file.`,
    false,
  );
}

function manifestIn(text: string): Partial<SnapshotManifest> | null {
  try {
    return JSON.parse(text) as Partial<SnapshotManifest> | null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

async function replaceManifest(folder: string, manifest: SnapshotManifest): Promise<void> {
  const path = join(folder, MANIFEST);
  const unfinished = `${path}.${randomBytes(4).toString('hex')}.new`;
  const handle = await open(unfinished, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, path);
  await syncFolder(folder);
  const files = [...manifest.files, ...(manifest.listMembers?.files ?? [])];
  const current = new Set(files.map(({ name }) => name));
  for (const name of await readdir(folder)) {
    if (OURS.test(name) && !current.has(name)) await rm(join(folder, name), { force: true });
  }
}

/** Else a crash of the machine could undo the rename, after the former files were removed. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** A full disk or one with an error, or too many open files, may pass. */
const PASSING: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE']);

async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) throw error;
    const code = String(error.code);
    const isPassing = PASSING.has(code);
    throw new DestinationError(
      `${folder}: the folder cannot be written: ${error.message}. ` +
        (isPassing
          ? 'The former snapshot is still there. Make room on its disk; it is tried again.'
          : 'Name a folder that the user of the worker may create files in, or give it the right.'),
      isPassing,
    );
  }
}
