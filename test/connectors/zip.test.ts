import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { appendFileSync, writeFileSync } from 'node:fs';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { openSource } from '../../src/importers/open-source.js';
import { SourceError, type SourceErrorCode } from '../../src/connectors/source-error.js';
import { intentsOf, intentsOfSource, OPTIONS, withFile } from '../support/sources.js';
import { changedEntry, zipOf } from '../support/zip.js';

const CSV = 'email,email_consent\na@example.com,unsubscribed\n';

const emails = async (zip: Buffer) =>
  (await intentsOf(zip)).map(({ line, email }) => [line, email]);

/** One file that is packed by much more than an export. */
const bomb = async (bytes: number) =>
  zipOf({ 'export.csv': Buffer.concat([Buffer.from(CSV), Buffer.alloc(bytes, ',\n')]) });

describe('a zip archive', () => {
  it('of one file is read as that file', async () => {
    assert.deepEqual(await emails(await zipOf({ 'export.csv': CSV })), [[2, 'a@example.com']]);
    const utf16 = Buffer.from(`\uFEFF${CSV}`, 'utf16le');
    assert.deepEqual(await emails(await zipOf({ 'a/b/export.txt': utf16 })), [
      [2, 'a@example.com'],
    ]);
    const json = '{"email":"a@example.com","email_consent":"unsubscribed"}';
    assert.deepEqual(await emails(await zipOf({ 'e.ndjson': json })), [[1, 'a@example.com']]);
  });

  it('says what in it is not read', async () => {
    const zip = await zipOf({
      '__MACOSX/': '',
      '__MACOSX/._export.csv': 'x',
      'folder/': '',
      '.DS_Store': 'x',
      'README.txt': 'hello',
      'chart.png': 'x',
      'empty.csv': '',
      'folder/export.csv': CSV,
    });
    await withFile(zip, async (file) => {
      const source = await openSource(file, OPTIONS);
      assert.equal((await intentsOfSource(source)).length, 1);
      assert.deepEqual(source.notices, [`Not read in ${file}: README.txt, chart.png, empty.csv.`]);
      await source.close();
    });
  });

  it('reads a table whatever its name begins with: it may hold opt-outs', async () => {
    for (const name of ['licensees.csv', 'Notice of opt-outs.csv']) {
      assert.deepEqual(await emails(await zipOf({ [name]: CSV })), [[2, 'a@example.com']], name);
    }
  });

  const refused: [string, () => Promise<Buffer>, SourceErrorCode, RegExp][] = [
    ['nothing to read', () => zipOf({ 'a.pdf': 'x' }), 'archive_without_file', /\.csv.*unzip -l/],
    ['no entry', () => zipOf({}), 'archive_without_file', /no file with rows/],
    [
      'another archive',
      async () => zipOf({ 'a.zip': await zipOf({ 'a.csv': CSV }) }),
      'file_is_archive',
      /a\.zip in this archive is an archive/,
    ],
    [
      'another archive of a harmless name',
      async () => zipOf({ 'a.csv': await zipOf({ 'a.csv': CSV }) }),
      'file_is_archive',
      /export\.csv > a\.csv: This is a zip archive.* within a zip/,
    ],
    ['gzip', () => zipOf({ 'a.csv': gzipSync(CSV) }), 'file_is_archive', /gzip within a zip/],
    [
      'a workbook',
      () => zipOf({ '[Content_Types].xml': '<x/>', 'xl/workbook.xml': '' }),
      'file_is_archive',
      /Excel workbook/,
    ],
    [
      'an encrypted file',
      async () =>
        changedEntry(
          await zipOf({ 'a.csv': CSV }),
          'a.csv',
          (e) => void e.writeUInt16LE(e.readUInt16LE(8) | 1, 8),
        ),
      'archive_encrypted',
      /a\.csv is encrypted.*password/,
    ],
    [
      'another compression',
      async () =>
        changedEntry(await zipOf({ 'a.csv': CSV }), 'a.csv', (e) => void e.writeUInt16LE(12, 10)),
      'file_is_archive',
      /a\.csv is compressed in a way/,
    ],
    [
      'another checksum',
      async () =>
        changedEntry(await zipOf({ 'a.csv': CSV }), 'a.csv', (e) => void e.writeUInt32LE(7, 16)),
      'archive_broken',
      /export\.csv > a\.csv: The zip archive is damaged: its checksum/,
    ],
    [
      'another size',
      async () =>
        changedEntry(await zipOf({ 'a.csv': CSV }), 'a.csv', (e) => void e.writeUInt32LE(9, 24)),
      'archive_broken',
      /damaged: too many bytes/,
    ],
    [
      'its end cut off',
      async () => (await zipOf({ 'a.csv': CSV })).subarray(0, -30),
      'archive_broken',
      /unzip -t/,
    ],
    [
      'a path out of it',
      async () => changedName(await zipOf({ 'aaaa.csv': CSV }), 'aaaa.csv', '../a.csv'),
      'archive_broken',
      /invalid relative path/,
    ],
    [
      'more entries than an export',
      () => zipOf(Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`${n}.png`, 'x']))),
      'archive_too_large',
      /1001 entries/,
    ],
    [
      'more files than an export',
      () => zipOf(Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`${n}.csv`, CSV]))),
      'archive_too_large',
      /21 files with rows/,
    ],
    [
      'files that grow without end',
      () => bomb(70 * 2 ** 20),
      'archive_too_large',
      /more than 250 times when export\.csv/,
    ],
    [
      'files of one name',
      async () => changedName(await zipOf({ 'a.csv': CSV, 'b.csv': CSV }), 'b.csv', 'a.csv'),
      'archive_broken',
      /two files called a\.csv/,
    ],
    [
      'files that share their bytes',
      async () => {
        const zip = await zipOf({ 'a.csv': CSV.repeat(40), 'b.csv': CSV });
        const size = zip.length;
        return changedEntry(zip, 'a.csv', (e) => void e.writeUInt32LE(size, 20));
      },
      'archive_broken',
      /its files overlap/,
    ],
    [
      'a header alone',
      () => zipOf({ 'a.csv': 'email,email_consent\n' }),
      'file_without_rows',
      /a\.csv, line 1/,
    ],
  ];
  for (const [what, zip, code, says] of refused) {
    it(`is refused with ${what}`, async () => {
      await assert.rejects(intentsOf(await zip()), (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, says);
        assert.ok(error.message.length < 1_000);
        return true;
      });
    });
  }

  it('may be packed well', async () => {
    const rows = 'a@example.com,unsubscribed\n'.repeat(50_000);
    assert.equal((await intentsOf(await zipOf({ 'a.csv': CSV + rows }))).length, 50_001);
  });

  it('never shows what would move the cursor of a terminal', async () => {
    const zip = changedName(
      await zipOf({ 'aaaa.png': 'x', 'b.csv': CSV }),
      'aaaa.png',
      '\x1b[2J.png',
    );
    await withFile(zip, async (file) => {
      const source = await openSource(file, OPTIONS);
      await source.close();
      assert.match(source.notices.join(), /: \?\[2J\.png\.$/);
    });
  });

  it('that changes while it is read stops the import', async () => {
    const rows = 'a@example.com,unsubscribed\n';
    await withFile(await zipOf({ 'a.csv': CSV + rows.repeat(9_000) }), async (file) => {
      const other = await zipOf({
        'a.csv': CSV + rows.repeat(8_999) + 'b@example.com,unsubscribed\n',
      });
      const source = await openSource(file, OPTIONS);
      writeFileSync(file, other);
      await assert.rejects(intentsOfSource(source), (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.match(error.code, /^(source_changed|archive_broken)$/);
        return true;
      });
      await source.close();
    });
  });

  it('that only grows while it is read stops the import, too', async () => {
    await withFile(await zipOf({ 'a.csv': CSV }), async (file) => {
      const source = await openSource(file, OPTIONS);
      appendFileSync(file, 'x');
      await assert.rejects(intentsOfSource(source), { code: 'source_changed' });
      await source.close();
    });
  });

  it('is damaged where its bytes are', async () => {
    const zip = await zipOf({ 'a.csv': CSV.repeat(2_000) });
    const packed = deflateRawSync(CSV.repeat(2_000));
    zip.fill(
      0xff,
      zip.indexOf(packed.subarray(0, 8)) + 20,
      zip.indexOf(packed.subarray(0, 8)) + 40,
    );
    await assert.rejects(intentsOf(zip), { code: 'archive_broken' });
  });
});

/** The same archive, in which a file has another name of the same length. */
function changedName(zip: Buffer, name: string, other: string): Buffer {
  return changedEntry(zip, name, (entry) => void entry.write(other, 46));
}
