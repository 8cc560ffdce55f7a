import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decoderOf, ENCODINGS, type Encoding } from '../../src/connectors/files/encodings.js';
import { openFileTable } from '../../src/connectors/files/file-table.js';
import { originalLines } from '../../src/connectors/original-lines.js';
import { SourceError } from '../../src/connectors/source-error.js';
import { openSource } from '../../src/importers/open-source.js';
import { OPTIONS, withFile } from '../support/sources.js';

const TEXT = 'email,email_consent,name\nada@example.com,unsubscribed,José €5\n';

const swapped = (bytes: Buffer): Buffer => Buffer.from(bytes).swap16();
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
/** The euro sign is 0x80 there; the other characters are those of Latin-1. */
const windows = (text: string): Buffer => Buffer.from(text.replaceAll('€', '\x80'), 'latin1');

/** The cells of a file's rows, and what was said about it. */
async function read(content: Buffer, encoding: Encoding | null = null) {
  return withFile(content, async (file) => {
    const table = await openFileTable(file, { encoding });
    try {
      const rows: (readonly string[] | null)[] = [];
      for await (const batch of table.rows()) rows.push(...batch.map(({ fields }) => fields));
      return { rows, columns: table.header.columns, notices: table.notices };
    } finally {
      await table.close();
    }
  });
}

describe('the encoding of a file', () => {
  for (const [what, content, says] of [
    ['UTF-8', Buffer.from(TEXT), null],
    ['UTF-8 with its mark', Buffer.from(`\uFEFF${TEXT}`), null],
    ['UTF-16 with its mark', utf16(`\uFEFF${TEXT}`), /is read as UTF-16 \(little-endian\)\. /],
    ['UTF-16 without it', utf16(TEXT), /is read as UTF-16 \(little-endian\)\. /],
    ['big-endian UTF-16', swapped(utf16(`\uFEFF${TEXT}`)), /is read as UTF-16 \(big-endian\)/],
    ['big-endian UTF-16 without its mark', swapped(utf16(TEXT)), /UTF-16 \(big-endian\)/],
    ['Windows-1252', windows(TEXT), /as Windows-1252, because line 2 is not UTF-8.*--encoding/],
    ['Windows-1252, gzipped', gzipSync(windows(TEXT)), /Windows-1252, because line 2/],
  ] as const) {
    it(`is found: ${what}`, async () => {
      const { rows, columns, notices } = await read(content);
      assert.deepEqual(columns, ['email', 'email_consent', 'name']);
      assert.deepEqual(rows, [['ada@example.com', 'unsubscribed', 'José €5']]);
      assert.equal(notices.length, says === null ? 0 : 1);
      if (says !== null) assert.match(notices[0] ?? '', says);
    });
  }

  it('is found in JSON lines', async () => {
    const json = '{"email":"ada@example.com","name":"José"}\n';
    for (const content of [utf16(`\uFEFF${json}`), windows(json)]) {
      assert.deepEqual((await read(content)).rows, [['ada@example.com', 'José']]);
    }
  });

  it('is found by a byte far into a file, whose line is told', async () => {
    const rows = 'someone@example.com,unsubscribed,x\n'.repeat(50_000);
    const content = windows(`email,email_consent,name\n${rows}a@example.com,unsubscribed,é\n`);
    const { rows: all, notices } = await read(content);
    assert.equal(all.at(-1)?.[2], 'é');
    assert.match(notices[0] ?? '', /line 50002 is not UTF-8/);
  });

  it('is UTF-8 wherever the pieces of the file cut its characters', async () => {
    for (let before = 0; before < 4; before += 1) {
      const name = `${'x'.repeat(before)}${'\u{1F600}'.repeat(200_000)}`;
      const { rows, notices } = await read(
        Buffer.from(`email,email_consent,name\na@example.com,yes,${name}\n`),
      );
      assert.deepEqual([rows[0]?.[2] === name, notices.length], [true, 0]);
    }
  });

  const row = (name: string) => `email,name\na@example.com,x\nb@example.com,${name}\n`;
  for (const [what, content] of [
    ['UTF-8 and Windows-1252 mixed', Buffer.concat([Buffer.from(row('é')), windows('é')])],
    ['Windows-1252 that could be UTF-8 elsewhere', windows(row('Ã© é'))],
    ['a byte that Windows-1252 does not have', Buffer.from(row('\x81 \xe9'), 'latin1')],
    ['a control character', Buffer.from(row('\x01 \xe9'), 'latin1')],
    [
      'a character that is cut off at the end',
      Buffer.from('email,name\n\na@example.com,é').subarray(0, -1),
    ],
  ] as const) {
    it(`is not guessed: ${what}`, async () => {
      await assert.rejects(read(content), (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, 'encoding_not_utf8');
        assert.ok((error.line ?? 0) >= 3, String(error.line));
        assert.match(error.message, /may not be Windows-1252 either.*--encoding \(utf-8, /);
        return true;
      });
    });
  }

  it('may be given where it is not certain', async () => {
    const { rows, notices } = await read(windows(row('Ã© é')), 'windows-1252');
    assert.deepEqual([rows[1]?.[1], notices.length], ['Ã© é', 0]);
    assert.deepEqual((await read(utf16(TEXT), 'utf-16le')).rows[0]?.[2], 'José €5');
  });

  for (const [what, content, given, says] of [
    [
      'UTF-8 for Windows-1252',
      windows(TEXT),
      'utf-8',
      /line 2: From here on the file is not UTF-8/,
    ],
    [
      'UTF-16 for its other half',
      utf16(`\uFEFF${TEXT}`),
      'utf-16be',
      /the mark of UTF-16 \(little-endian\), but is to be read as UTF-16 \(big/,
    ],
    [
      'Windows-1252 for UTF-8 with its mark',
      Buffer.from(`\uFEFF${TEXT}`),
      'windows-1252',
      /Leave --encoding out/,
    ],
    [
      'UTF-16 that ends within a character',
      Buffer.concat([utf16(TEXT), Buffer.of(0x61)]),
      'utf-16le',
      /not UTF-16/,
    ],
  ] as const) {
    it(`is refused where it is given wrong: ${what}`, async () => {
      await assert.rejects(read(content, given), { code: 'encoding_not_utf8', message: says });
    });
  }

  it('is refused as a whole: UTF-32', async () => {
    const content = Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]);
    await assert.rejects(read(content), { code: 'encoding_not_utf8', message: /iconv -f UTF-32/ });
  });

  it('is the given one for the original lines of a report', async () => {
    const content = windows(row('Ã© é'));
    await withFile(content, async (file) => {
      const source = await openSource(file, {
        ...OPTIONS,
        encoding: 'windows-1252',
        operation: 'unsubscribe',
      });
      const sha256 = await source.sha256();
      await source.close();
      const lines: string[] = [];
      for await (const { text } of originalLines(file, new Set([3]), sha256, {
        encoding: 'windows-1252',
      })) {
        lines.push(text);
      }
      assert.deepEqual(lines, ['b@example.com,Ã© é']);
    });
  });
});

describe('decoderOf', () => {
  it('decodes every character of Windows-1252 as the WHATWG standard does', () => {
    const bytes = Buffer.from(
      Array.from({ length: 256 }, (_, byte) => byte).filter(
        (byte) => ![0x81, 0x8d, 0x8f, 0x90, 0x9d].includes(byte),
      ),
    );
    const text = decoderOf('windows-1252').decode(bytes);
    assert.equal(text.slice(0x80, 0x80 + 27), '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ');
    assert.equal(text.slice(0x80 + 27), bytes.subarray(0x80 + 27).toString('latin1'));
  });

  it('decodes each encoding in this Node', () => {
    for (const encoding of ENCODINGS) assert.equal(decoderOf(encoding).decode(Buffer.alloc(0)), '');
  });
});
