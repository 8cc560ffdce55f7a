import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  eachPart,
  PART_COLUMNS,
  partRow,
  safeCell,
  writeCsv,
  writeNdjson,
} from '../../../src/cli/report/part-rows.js';
import { rejectsPath, writeRejects } from '../../../src/cli/report/rejects.js';
import type { ReportedPart } from '../../../src/ledger/index.js';
import { reportedPart } from '../../support/reports.js';
import { Written } from '../terminal.js';
import { zipOf } from '../../support/zip.js';

const PART = reportedPart({
  phoneNumber: '+12015550123',
  country: 'US',
  settledAt: new Date('2026-01-02T03:04:05.678Z'),
  readAt: new Date('2026-01-02T03:04:05.678Z'),
});
const REFUSED: ReportedPart = {
  ...PART,
  line: 7,
  email: '=cmd()@example.com',
  channel: 'sms',
  outcome: 'rejected',
  reason: 'phone_invalid',
  settledBy: 'importer',
};

/** What was read back and since when, when it was read, and when it was settled. */
const READ =
  'SUBSCRIBED,2026-01-02T03:04:01.000Z,2026-01-02T03:04:05.678Z,,2026-01-02T03:04:05.678Z';

async function* pages(...parts: ReportedPart[]): AsyncGenerator<ReportedPart[]> {
  for (const part of parts) yield [part];
}

describe('rows of a report', () => {
  it('show that somebody was erased', () => {
    const { line, email } = partRow({ ...PART, erased: true, line: 0, email: null });
    assert.deepEqual({ line, email }, { line: 0, email: '(erased)' });
  });

  it('are CSV with a header, and nothing that a spreadsheet would run', async () => {
    const out = new Written();
    await writeCsv(eachPart(pages(PART, REFUSED)), PART_COLUMNS, out, false);
    assert.equal(
      out.text,
      [
        PART_COLUMNS.join(','),
        `2,ada@example.com,+12015550123,email,subscribe,confirmed,,list_members,NEVER_SUBSCRIBED,,${READ},r-1`,
        `7,'=cmd()@example.com,+12015550123,sms,subscribe,rejected,phone_invalid,importer,NEVER_SUBSCRIBED,,${READ},r-1`,
        '',
      ].join('\n'),
    );
    assert.equal(out.writableEnded, false, 'stdout is not ours to end');
  });

  for (const [cell, written] of [
    ['=1+1', "'=1+1"],
    ['+1+1', "'+1+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', "'\r=1"],
    ['\uFF1D1', "'\uFF1D1"],
    ['+1 (201) 555-0123', "'+1 (201) 555-0123"],
    ['+12015550123', '+12015550123'],
    ['+12015550123+1', "'+12015550123+1"],
    ['ada=@example.com', 'ada=@example.com'],
  ] as const) {
    it(`write ${JSON.stringify(cell)} as ${JSON.stringify(written)}`, () => {
      assert.equal(safeCell(cell), written);
    });
  }

  it('are JSON objects a line', async () => {
    const out = new Written();
    await writeNdjson(eachPart(pages(PART, REFUSED)), out);
    const rows = out.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    assert.equal(rows.length, 2);
    assert.deepEqual(rows[0], {
      line: 2,
      email: 'ada@example.com',
      phone_number: '+12015550123',
      channel: 'email',
      operation: 'subscribe',
      outcome: 'confirmed',
      reason: null,
      settled_by: 'list_members',
      consent_before: 'NEVER_SUBSCRIBED',
      consent_before_at: null,
      consent_after: 'SUBSCRIBED',
      consent_after_at: '2026-01-02T03:04:01.000Z',
      read_at: '2026-01-02T03:04:05.678Z',
      asked_at: null,
      settled_at: '2026-01-02T03:04:05.678Z',
      request_id: 'r-1',
    });
  });
});

describe('file of refused rows', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('has the refused rows alone, for the owner alone', async () => {
    const source = join(folder, 'people.csv');
    const first = 'email\nada@example.com\n';
    const text = `${first}\n\n\n\n"=cmd()@example.com"\n"cut,\nin two"\n`;
    await writeFile(source, text);
    const file = { path: source, sha256: createHash('sha256').update(text).digest('hex') };
    const path = rejectsPath(source);
    const other = { ...REFUSED, line: 8, email: null };
    const rejects = await writeRejects(() => pages(PART, REFUSED, other), path, file);
    assert.deepEqual(rejects, { path, rows: 2, withoutOriginals: null });
    assert.equal(
      await readFile(path, 'utf8'),
      'line,email,phone_number,channel,reason,original\n' +
        `7,'=cmd()@example.com,+12015550123,sms,phone_invalid,"""=cmd()@example.com"""\n` +
        `8,,+12015550123,sms,phone_invalid,"""cut,\nin two"""\n`,
    );
    if (process.platform !== 'win32') assert.equal((await stat(path)).mode & 0o777, 0o600);
    await rm(path);
    await rm(source);
  });

  it('names the file of an archive, and the line there', async () => {
    const source = join(folder, 'export.zip');
    const zip = await zipOf({
      'yes.csv': 'email,email_consent\nx,yes\n',
      'no.csv': 'Email Address,UNSUB_TIME\ny,\nz,\n',
    });
    await writeFile(source, zip);
    const file = { path: source, sha256: createHash('sha256').update(zip).digest('hex') };
    const path = rejectsPath(source);
    const refused = [3, 6].map((line) => ({ ...REFUSED, line, email: null }));
    await writeRejects(() => pages(...refused), path, file);
    assert.equal(
      await readFile(path, 'utf8'),
      'file,line,email,phone_number,channel,reason,original\n' +
        'no.csv,3,,+12015550123,sms,phone_invalid,"z,"\n' +
        'yes.csv,2,,+12015550123,sms,phone_invalid,"x,yes"\n',
    );
    await rm(path);
    await rm(source);
  });

  it('closes the source, of which it reads no line after the last refused one', async (context) => {
    if (process.platform !== 'linux') return context.skip('only Linux lists open files in /proc');
    const source = join(folder, 'long.csv');
    const later = Array.from({ length: 20_000 }, (_, n) => `later${n}@example.com\n`).join('');
    const text = `email\n\n\n\n\n\n"=cmd()@example.com"\n${later}`;
    await writeFile(source, text);
    const path = rejectsPath(source);
    const file = { path: source, sha256: createHash('sha256').update(text).digest('hex') };
    await writeRejects(() => pages(REFUSED), path, file);
    assert.match(await readFile(path, 'utf8'), /=cmd/);
    assert.ok(!(await openFiles()).includes(source));
    await rm(path);
    await rm(source);
  });

  it('goes without the lines where the source is gone, and says so', async () => {
    const path = join(folder, 'gone.rejects.csv');
    const gone = { path: join(folder, 'gone.csv'), sha256: '' };
    const rejects = await writeRejects(() => pages(REFUSED), path, gone);
    assert.match(rejects?.withoutOriginals ?? '', /gone\.csv/);
    assert.match(await readFile(path, 'utf8'), /phone_invalid,\n$/);
    await rm(path);
  });

  it('goes without the lines where another file is in its place, and says so', async () => {
    const source = join(folder, 'people.csv');
    await writeFile(source, 'email\n\n\n\n\n\nsomebody-else@example.com\n');
    const path = rejectsPath(source);
    const file = { path: source, sha256: 'of another one' };
    const rejects = await writeRejects(() => pages(REFUSED), path, file);
    assert.match(rejects?.withoutOriginals ?? '', /no longer the file/);
    assert.match(await readFile(path, 'utf8'), /phone_invalid,\n$/);
    await rm(path);
    await rm(source);
  });

  it('is not written where nothing was refused', async () => {
    const path = join(folder, 'people.csv.rejects.csv');
    assert.equal(await writeRejects(() => pages(PART), path, null), null);
    assert.deepEqual(await readdir(folder), []);
  });

  it('leaves nothing behind when the ledger fails half-way', async () => {
    async function* failing(): AsyncGenerator<ReportedPart[]> {
      yield [REFUSED];
      throw new Error('the ledger is gone');
    }
    await assert.rejects(writeRejects(failing, join(folder, 'x.csv'), null), /the ledger is gone/);
    assert.deepEqual(await readdir(folder), []);
  });
});

/** Paths of the files that this process has open. */
async function openFiles(): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd');
  return Promise.all(descriptors.map((one) => readlink(`/proc/self/fd/${one}`).catch(() => '')));
}
