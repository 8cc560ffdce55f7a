import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { originalLines } from '../../../src/connectors/original-lines.js';
import { readSample } from '../../../src/importers/sample.js';
import { SourceError, type SourceErrorCode } from '../../../src/connectors/source-error.js';
import { inShort, intentsOf, withFile } from '../../support/sources.js';

const CSV =
  'email,email_consent,notes\r\nA@example.com,yes,"x, y"\r\nb@example.com,unsubscribed,\r\n';
const NDJSON = [
  '{"email":"A@example.com","email_consent":true}',
  '',
  '{"email":"b@example.com","notes":null,"email_consent":"unsubscribed","EXTRA":1.50}',
].join('\r\n');
const live = { undated: 'subscribe' } as const;

async function read(content: string | Buffer): Promise<unknown[]> {
  const intents = await intentsOf(content, live);
  return intents.map((intent) => [intent.line, intent.email, ...inShort(intent)]);
}

const people = (lines: readonly [number, number]): unknown[] => [
  [lines[0], 'a@example.com', 'email subscribe'],
  [lines[1], 'b@example.com', 'email unsubscribe'],
];

describe('the format of a file', () => {
  const cases: [string, string | Buffer, readonly [number, number]][] = [
    ['commas', CSV, [2, 3]],
    ['semicolons', 'email;email_consent\nA@example.com;yes\nb@example.com;unsubscribed\n', [2, 3]],
    ['tabs', 'email\temail_consent\nA@example.com\tyes\nb@example.com\tunsubscribed\n', [2, 3]],
    ['one JSON object a line', NDJSON, [1, 3]],
    ['JSON lines with a byte order mark', `\uFEFF${NDJSON}\n`, [1, 3]],
    [
      'JSON lines with a byte order mark in a key',
      NDJSON.replaceAll('"email"', '"\uFEFFemail"'),
      [1, 3],
    ],
    ['gzip of commas', gzipSync(CSV), [2, 3]],
    ['gzip of JSON lines', gzipSync(NDJSON), [1, 3]],
    [
      'gzip in two members, as appending makes it',
      Buffer.concat([gzipSync(CSV.slice(0, 40)), gzipSync(CSV.slice(40))]),
      [2, 3],
    ],
  ];
  for (const [name, content, lines] of cases) {
    it(`is told by the content: ${name}`, async () => {
      assert.deepEqual(await read(content), people(lines));
    });
  }

  const big = 'someone@example.com,yes\n'.repeat(60_000);
  it('may be gzip that is many pieces long', async () => {
    const intents = await intentsOf(gzipSync(`email,email_consent\n${big}`), live);
    assert.deepEqual([intents.length, intents.at(-1)?.line], [60_000, 60_001]);
  });

  const refused: [string, string | Buffer, SourceErrorCode, RegExp][] = [
    ['gzip that is cut off', gzipSync(CSV + big).subarray(0, 200), 'gzip_broken', /cut off/],
    [
      'gzip with more behind it',
      Buffer.concat([gzipSync(CSV), Buffer.from('\0eve@example.com,yes\n')]),
      'gzip_broken',
      /21 bytes that are not compressed/,
    ],
    ['gzip that is damaged', damaged(gzipSync(CSV + big)), 'gzip_broken', /damaged/],
    ['zip that is cut off', Buffer.from('504b030414000000', 'hex'), 'archive_broken', /unzip -t/],
    ['Parquet', Buffer.from('PAR1xxxx'), 'file_is_archive', /Parquet/],
    ['7-Zip', Buffer.from('377abcaf271c0004', 'hex'), 'file_is_archive', /7-Zip/],
    ['RAR', Buffer.from('Rar!\x1a\x07\x00'), 'file_is_archive', /RAR/],
    ['tar', tarOf(CSV), 'file_is_archive', /tar archive, which.*tar -xf/],
    ['tar, packed', gzipSync(tarOf(CSV)), 'file_is_archive', /tar archive, compressed with gzip/],
    ['gzip in gzip', gzipSync(gzipSync(CSV)), 'file_is_archive', /gzip within gzip.*gunzip/],
    [
      'something else',
      Buffer.from(`email\n${'\0'.repeat(9)}a@example.com`),
      'encoding_not_utf8',
      /no text has/,
    ],
    ['empty gzip', gzipSync(''), 'file_empty', /empty/],
    ['a JSON list', '[{"email":"a@example.com"}]', 'json_not_lines', /jq -c '\.\[\]'/],
    [
      'a list in a column that is read',
      '{"email":"a@example.com","email_consent":"yes"}\n{"email":["b@example.com"]}',
      'json_nested',
      /, line 2, column "email": The value is a list.*jq/,
    ],
    [
      'objects within each other without end',
      `{"email":"a@example.com","x":${'{"y":'.repeat(20)}1${'}'.repeat(20)}}`,
      'json_nested',
      /, line 1, column "x(\.y){15}": Objects are within each other so deep/,
    ],
    [
      'data as keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 2_001 }, (_, i) => [`k${i}`, 1]))),
      'too_many_columns',
      /line 1.*2000 different keys/,
    ],
    ['JSON lines without end', `{"a":"${'x'.repeat(1_100_000)}`, 'record_too_long', /line 1/],
  ];
  for (const [name, content, code, says] of refused) {
    it(`is refused: ${name}`, async () => {
      await assert.rejects(intentsOf(content, live), (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, says);
        assert.ok(error.message.endsWith(error.remedy));
        return true;
      });
    });
  }
});

describe('JSON lines', () => {
  it('have the keys of all lines as columns, also those that come late', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `{"email":"p${i}@example.com"}`);
    lines.push('{"email":"last@example.com","email_consent":"yes"}');
    const intents = await intentsOf(lines.join('\n'), live);
    const last = intents.at(-1);
    assert.deepEqual([last?.line, last && inShort(last)], [20_001, ['email subscribe']]);
  });

  it('refuse a line that is no object, by its number, and go on', async () => {
    const text = `{"email":"a@example.com","email_consent":"yes"}\n"text"\n{"email":\n{"email":"b@example.com","email_consent":"yes"}`;
    assert.deepEqual(await read(text), [
      [1, 'a@example.com', 'email subscribe'],
      [2, null, 'email row_malformed'],
      [3, null, 'email row_malformed'],
      [4, 'b@example.com', 'email subscribe'],
    ]);
  });

  const phones: [string, string | null, string][] = [
    ['12015550123', '+12015550123', 'sms subscribe'],
    ['"+12015550123"', '+12015550123', 'sms subscribe'],
    ['1.2015550123e10', null, 'sms phone_scientific_notation'],
    ['12015550123e0', null, 'sms phone_scientific_notation'],
  ];
  for (const [value, phoneNumber, part] of phones) {
    it(`keep a number as it is written: ${value}`, async () => {
      const text = `{"note":"1e5","phone_number":${value},"sms_consent":true}`;
      const [intent] = await intentsOf(text, { ...live, channels: ['sms'], country: 'US' });
      assert.deepEqual([intent?.phoneNumber, ...inShort(intent!)], [phoneNumber, part]);
    });
  }
});

describe('originalLines', () => {
  async function lines(content: string | Buffer, wanted: number[]): Promise<unknown[]> {
    return withFile(content, async (file) => {
      const found: unknown[] = [];
      const sha256 = createHash('sha256').update(content).digest('hex');
      for await (const { line, text } of originalLines(file, new Set(wanted), sha256)) {
        found.push([line, text]);
      }
      return found;
    });
  }

  const messy =
    'email,notes\r\na@example.com,"two\r\nlines"\r\n\r\nb@example.com,"bad" quote\r\nc@example.com,1\r\n';
  const cases: [string, string | Buffer, number[], unknown[]][] = [
    ['a record of several lines', messy, [2], [[2, 'a@example.com,"two\r\nlines"']]],
    ['a malformed one', messy, [5], [[5, 'b@example.com,"bad" quote']]],
    [
      'several, in their order',
      messy,
      [6, 2],
      [
        [2, 'a@example.com,"two\r\nlines"'],
        [6, 'c@example.com,1'],
      ],
    ],
    ['one of a packed file', gzipSync(messy), [6], [[6, 'c@example.com,1']]],
    ['JSON lines, malformed ones too', '{"email":"a@example.com"}\n\n{oh', [3], [[3, '{oh']]],
    ['nothing where nothing is wanted', messy, [], []],
  ];
  for (const [name, content, wanted, expected] of cases) {
    it(`gives ${name}`, async () => {
      assert.deepEqual(await lines(content, wanted), expected);
    });
  }

  it('gives a forgotten quote by its first line', async () => {
    const text = 'email,notes\na@example.com,"forgotten\nb@example.com,"x"\n';
    assert.deepEqual(await lines(text, [2, 3]), [
      [2, 'a@example.com,"forgotten'],
      [3, 'b@example.com,"x"'],
    ]);
  });
});

describe('readSample', () => {
  it('gives the columns and the first good rows of any source', async () => {
    await withFile('a,b\n1,2\nbad\n3,4\n5,6\n', async (file) => {
      assert.deepEqual(await readSample(file, null, null, 2), {
        columns: ['a', 'b'],
        notices: [],
        rows: [
          ['1', '2'],
          ['3', '4'],
        ],
      });
    });
  });
});

/** As far as a tar archive is told by: its first header. */
function tarOf(content: string): Buffer {
  const header = Buffer.alloc(512);
  header.write('export.csv');
  header.write('ustar', 257);
  return Buffer.concat([header, Buffer.from(content)]);
}

function damaged(packed: Buffer): Buffer {
  const copy = Buffer.from(packed);
  copy.fill(0x55, 60, 90);
  return copy;
}
