import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { parse } from 'csv-parse/sync';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { rowAfter } from '../../src/consent/record/record.js';
import type { Destination, Snapshot, StoredRow } from '../../src/destinations/destination.js';
import { SNAPSHOT_FORMATS, type SnapshotFormat } from '../../src/contracts/sync.js';
import {
  exportSnapshot,
  type SnapshotManifest,
} from '../../src/destinations/files/export-snapshot.js';
import { openDestination } from '../../src/destinations/open-destination.js';
import { createTestDatabase, type TestDatabase } from '../support/stack.js';
import { failure } from './failures.js';
import { at, batchOf, markerAt, subscriber, TABLES, UNSUBSCRIBED } from './records.js';

type Values = Record<string, unknown>;

/** Reads a snapshot as its reader would; times as this product writes them. */
const READERS: Readonly<Record<SnapshotFormat, (path: string) => Promise<Values[]>>> = {
  ndjson: async (path) =>
    (await readFile(path, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Values),
  csv: async (path) =>
    parse<Values>(await readFile(path, 'utf8'), {
      columns: true,
      cast: (value, { quoting, column }) => {
        if (value === '' && !quoting) return null;
        if (value === 'true' || value === 'false') return value === 'true';
        return String(column).endsWith('suppressions') ? (JSON.parse(value) as unknown) : value;
      },
    }),
  parquet: async (path) => {
    const file = await asyncBufferFromFile(path);
    return parquetReadObjects({ file, parsers: { timestampFromMicroseconds: timeOf } });
  },
};

function timeOf(micros: bigint): string {
  const day = new Date(Number(micros / 1_000_000n) * 1_000).toISOString().slice(0, 19);
  return `${day}.${String(micros % 1_000_000n).padStart(6, '0')}Z`;
}

describe('a snapshot in files', () => {
  let database: TestDatabase;
  let source: Destination;
  let folder: string;
  before(async () => {
    database = await createTestDatabase();
    source = openDestination(database.url, TABLES);
    await source.prepare();
    await source.write(
      batchOf([
        subscriber('01A', { external_id: '', email: 'Zoë "Q",\n\t\\ 🦊@example.com' }),
        subscriber('01B', { ...UNSUBSCRIBED, email_marketing_suppressions: null }),
        subscriber('01C'),
      ]),
      markerAt(1),
      0,
    );
    const gone = [{ profileId: '01C', mergedInto: '01B' }];
    const swept = markerAt(2, { sweptAt: at('12:00') });
    await source.write(batchOf([], { gone, readAt: at('11:00') }), swept, 1);
  });
  after(async () => {
    await source.close();
    await database.drop();
  });
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'consentry-files-')), 'consent');
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

  for (const format of SNAPSHOT_FORMATS) {
    it(`is the rows of the destination as ${format}`, async () => {
      const manifest = await exportSnapshot(source, { folder, format, columns: {} });
      const [file] = manifest.files;
      assert.ok(file !== undefined);
      const path = join(folder, file.name);
      const rows = await READERS[format](path);
      const expected = await rowsOf(source);
      assert.equal(rows.length, 3);
      rows.forEach((row, i) => assert.deepEqual({ ...row }, expected[i]));
      assert.deepEqual(
        Object.keys(rows[0] ?? {}),
        manifest.columns.map(({ name }) => name),
      );
      const bytes = await readFile(path);
      assert.deepEqual(
        [file.rows, file.bytes, file.sha256],
        [3, bytes.length, createHash('sha256').update(bytes).digest('hex')],
      );
      assert.deepEqual(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')), manifest);
      assert.deepEqual(
        [manifest.format, manifest.generation, manifest.runId, manifest.syncId, manifest.rows],
        [format, 2, 'run-2', 'nightly', 3],
      );
    });
  }

  it('replaces the former one, and what was never finished, and nothing else', async () => {
    const options = { folder, columns: {} };
    const one = await exportSnapshot(source, { ...options, format: 'csv' });
    await writeFile(join(folder, 'notes.csv'), '');
    await writeFile(join(folder, 'consent-7-0123abcd.parquet'), 'half');
    const other = await exportSnapshot(source, { ...options, format: 'csv' });
    assert.notEqual(one.files[0]?.name, other.files[0]?.name);
    const names = [other.files[0]?.name, 'manifest.json', 'notes.csv'];
    assert.deepEqual((await readdir(folder)).sort(), names.sort());
  });

  it('has the memberships of lists in files of their own', async () => {
    const to = openDestination(database.url, {
      ...TABLES,
      table: 'listed',
      history: null,
      lists: 'of_lists',
    });
    await to.prepare();
    const listed = {
      listId: 'NEWS01',
      listName: 'News, "daily"',
      members: ['01A', '01B'].map((profileId) => ({
        profileId,
        joinedAt: '2026-03-01T00:00:00.000001Z',
        readAt: at('10:00'),
      })),
      left: [],
      whole: null,
      isRemembered: false,
    };
    const batch = batchOf([subscriber('01A'), subscriber('01B')]);
    await to.write(batch, markerAt(1), 0);
    await to.write(batchOf([], { lists: [listed] }), markerAt(2), 1);
    const columns = { list_name: 'name', profile_id: 'id' };
    const written = new Set<string>();
    for (const format of SNAPSHOT_FORMATS) {
      const { files, listMembers } = await exportSnapshot(to, { folder, format, columns });
      const [file] = listMembers?.files ?? [];
      assert.match(file?.name ?? '', /^list_members-2-[0-9a-f]{8}\./);
      assert.deepEqual([file?.rows, listMembers?.rows], [2, 2]);
      const rows = await READERS[format](join(folder, file?.name ?? ''));
      const time = '2026-11-27T10:00:00.000000Z';
      assert.deepEqual(
        rows.map((row) => ({ ...row })),
        ['01A', '01B'].map((id) => ({
          list_id: 'NEWS01',
          id,
          name: 'News, "daily"',
          joined_at: '2026-03-01T00:00:00.000001Z',
          left_at: null,
          first_seen_at: time,
          last_read_at: time,
        })),
      );
      assert.deepEqual(
        Object.keys(rows[0] ?? {}),
        listMembers?.columns.map(({ name }) => name),
      );
      const names = (await readdir(folder)).filter((name) => name !== 'manifest.json');
      assert.deepEqual(names.sort(), [files[0]?.name, file?.name].sort());
      written.add(file?.name ?? '');
    }
    assert.equal(written.size, SNAPSHOT_FORMATS.length);
    await to.close();
  });

  it('is for its owner alone', async () => {
    const { files } = await exportSnapshot(source, { folder, format: 'ndjson', columns: {} });
    const modes = await Promise.all(
      [folder, ...['manifest.json', files[0]?.name ?? ''].map((name) => join(folder, name))].map(
        async (path) => (await stat(path)).mode & 0o777,
      ),
    );
    assert.deepEqual(modes, [0o700, 0o600, 0o600]);
  });

  it('has the names of the mapping', async () => {
    const columns = { profile_id: 'id', email: 'E-mail' };
    const { files } = await exportSnapshot(source, { folder, format: 'csv', columns });
    const text = await readFile(join(folder, files[0]?.name ?? ''), 'utf8');
    assert.match(text, /^id,E-mail,phone_number,/);
    await assert.rejects(
      exportSnapshot(source, { folder, format: 'csv', columns: { mail: 'x' } }),
      failure(false, /no column mail/),
    );
  });

  it('has a header and a schema although it has no rows', async () => {
    const empty = sourceOf([]);
    for (const format of SNAPSHOT_FORMATS) {
      const { files, rows } = await exportSnapshot(empty, { folder, format, columns: {} });
      assert.equal(rows, 0);
      const path = join(folder, files[0]?.name ?? '');
      assert.deepEqual(await READERS[format](path), []);
      if (format === 'csv') assert.match(await readFile(path, 'utf8'), /^profile_id,email,.*\n$/);
      if (format === 'parquet') {
        const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(path));
        assert.equal(schema[1]?.name, 'profile_id');
      }
    }
  });

  it('keeps the former one where it fails in the middle', async () => {
    const former = await exportSnapshot(source, { folder, format: 'csv', columns: {} });
    const failing = sourceOf([1, 2], new Error('lost'));
    for (const format of SNAPSHOT_FORMATS) {
      await assert.rejects(exportSnapshot(failing, { folder, format, columns: {} }), /lost/);
    }
    assert.deepEqual((await readdir(folder)).sort(), [former.files[0]?.name, 'manifest.json']);
    assert.deepEqual(await manifestOf(folder), former);
  });

  it('stays within memory for many rows', async () => {
    const pages = 60;
    for (const format of SNAPSHOT_FORMATS) {
      let most = 0;
      const many = sourceOf(
        Array.from({ length: pages }, () => 2_000),
        null,
        () => (most = Math.max(most, process.memoryUsage().rss)),
      );
      const before = process.memoryUsage().rss;
      const { rows } = await exportSnapshot(many, { folder, format, columns: {} });
      assert.equal(rows, pages * 2_000);
      assert.ok(most - before < 250_000_000, `${format}: ${Math.round((most - before) / 1e6)} MB`);
    }
  });

  describe('cannot be written', () => {
    it('into a file', async () => {
      await writeFile(folder, '');
      await assert.rejects(
        exportSnapshot(source, { folder, format: 'csv', columns: {} }),
        failure(false, /consent: the folder cannot be written: E(EXIST|NOTDIR).*may create files/),
      );
    });

    const isRoot = process.getuid?.() === 0;
    it('without the right', { skip: isRoot && 'root has every right' }, async () => {
      await exportSnapshot(source, { folder, format: 'csv', columns: {} });
      await chmod(folder, 0o500);
      await assert.rejects(
        exportSnapshot(source, { folder, format: 'csv', columns: {} }),
        failure(false, /EACCES/),
      );
      await chmod(folder, 0o700);
    });

    it('into a folder of another sync, or of something else', async () => {
      const format = 'csv';
      await exportSnapshot(sourceOf([1]), { folder, format, columns: {} });
      await assert.rejects(
        exportSnapshot(source, { folder, format, columns: {} }),
        failure(false, /manifest\.json: it is another sync's: other, of the account AbC123/),
      );
      for (const text of ['{"files": []}', 'null', '<xml/>']) {
        await writeFile(join(folder, 'manifest.json'), text);
        await assert.rejects(
          exportSnapshot(source, { folder, format, columns: {} }),
          failure(false, /not one of a snapshot of consent. Give this sync a folder/),
        );
        assert.equal(await readFile(join(folder, 'manifest.json'), 'utf8'), text);
      }
    });

    it('before a sync has written anything', async () => {
      const nothing = openDestination(database.url, { ...TABLES, table: 'nothing', history: null });
      try {
        await nothing.prepare();
        await assert.rejects(
          exportSnapshot(nothing, { folder, format: 'csv', columns: {} }),
          failure(false, /no sync has written there.*Run the sync first/),
        );
      } finally {
        await nothing.close();
      }
    });
  });
});

async function manifestOf(folder: string): Promise<SnapshotManifest> {
  return JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as SnapshotManifest;
}

/** What a reader should see, by the names of the columns. */
async function rowsOf(source: Destination): Promise<Values[]> {
  return source.snapshot(async ({ marker, rows }) => {
    const all: Values[] = [];
    for await (const page of rows) all.push(...page.map((row) => valuesOf(row, marker?.sweptAt)));
    return all;
  });
}

function valuesOf(stored: StoredRow, sweptAt: string | null | undefined): Values {
  const json = Object.entries(stored.row).map(([name, value]) => [
    name,
    name.endsWith('suppressions') && value !== null
      ? (JSON.parse(String(value)) as unknown)
      : value,
  ]);
  return {
    profile_id: stored.profileId,
    ...(Object.fromEntries(json) as Values),
    first_seen_at: stored.firstSeenAt,
    last_read_at: stored.mergedInto === null ? sweptAt : stored.lastReadAt,
    changed_at: stored.changedAt,
    deleted_at: stored.deletedAt,
    merged_into: stored.mergedInto,
  };
}

/** A destination of another sync, with pages of so many rows, that may fail after them. */
function sourceOf(
  pages: readonly number[],
  end: Error | null = null,
  onPage = () => 0,
): Destination {
  async function* rows(): AsyncGenerator<StoredRow[]> {
    let id = 0;
    for (const size of pages) {
      onPage();
      yield Array.from({ length: size }, () => stored(`01${String(id++).padStart(24, '0')}`));
    }
    if (end !== null) throw end;
  }
  const snapshot = <T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> =>
    work({
      marker: markerAt(9, end === null ? { syncId: 'other' } : {}),
      rows: rows(),
      members: null,
    });
  return { shown: 'rows of a test', snapshot } as Destination;
}

function stored(profileId: string): StoredRow {
  const time = '2026-11-27T10:00:00.000000Z';
  const maySend = Object.fromEntries(
    ['email_marketing', 'sms_marketing', 'sms_transactional', 'whatsapp_marketing']
      .concat(['whatsapp_transactional', 'whatsapp_conversational', 'mobile_push_marketing'])
      .map((channel) => [`may_send_${channel}`, true]),
  );
  return {
    profileId,
    row: { ...rowAfter(null, subscriber(profileId)), ...maySend },
    firstSeenAt: time,
    lastReadAt: time,
    changedAt: time,
    deletedAt: null,
    mergedInto: null,
  };
}
