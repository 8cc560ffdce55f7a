import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readMapping, parseMapping } from '../../src/importers/mapping/mapping-file.js';
import { readPhone } from '../../src/importers/values/phone.js';
import { suggestMapping } from '../../src/importers/mapping/suggest.js';
import { readSample } from '../../src/importers/sample.js';
import { SourceError } from '../../src/connectors/source-error.js';
import { inShort, intentsOf, withFile } from '../support/sources.js';

const MEGABYTE = 1_000_000;

/** Each of these took more than a minute, or for ever, while its time grew with the square of its size. */
describe('sources of a size that no export has', { timeout: 60_000 }, () => {
  it('a header of 100,000 columns without a name', async () => {
    const commas = ','.repeat(100_000);
    const [row] = await intentsOf(
      `email,email_consent,email_consented_at${commas}\nada@example.com,yes,2021-03-04${commas}`,
    );
    assert.deepEqual(row && inShort(row), ['email subscribe 2021-03-04T12:00:00Z']);
    await assert.rejects(intentsOf(`mail${commas}\nada@example.com${commas}`), (error) => {
      assert.ok(error instanceof SourceError);
      assert.match(error.message, /\(unnamed\) and \d+ more/);
      assert.ok(error.message.length < 3_000, `${error.message.length} characters`);
      return true;
    });
  });

  it('a line of a million commas, as the header and as a row', async () => {
    const commas = ','.repeat(MEGABYTE);
    await assert.rejects(intentsOf(`${commas}\nada@example.com,yes`), { code: 'layout_unknown' });
    const rows = await intentsOf(`email,email_consent\n${commas}\nada@example.com,unsubscribed`);
    assert.deepEqual(rows.map(inShort), [['email row_malformed'], ['email unsubscribe']]);
  });

  it('a header that names more columns than a source has', async () => {
    const names = Array.from({ length: 2_001 }, (_, n) => `c${n}`);
    const file = (columns: readonly string[]) =>
      `email,email_consent,${columns.join(',')}\nada@example.com,unsubscribed${','.repeat(columns.length)}`;
    assert.equal((await intentsOf(file(names.slice(0, 1_998)))).length, 1);
    await assert.rejects(intentsOf(file(names)), {
      code: 'too_many_columns',
      line: 1,
      message: /names 2003 columns, and no more than 2000/,
    });
  });

  it('quotes that move the error to the last line again and again', async () => {
    const shifting = `a,"c\n${'a",b,"c\n'.repeat(2_000)}a"x\n`;
    await assert.rejects(intentsOf(`email,email_consent\n${shifting}ada@example.com,yes\n`), {
      code: 'quotes_mismatched',
      message: /line \d+: From here on/,
    });
  });

  for (const [what, value] of [
    ['blanks', `a${' '.repeat(900_000)}b`],
    ['marks without width', `a${'\u200B'.repeat(300_000)}b`],
    ['line feeds', `"a${'\n'.repeat(900_000)}b"`],
    ['quotes', `"a${'""'.repeat(450_000)}b"`],
    ['digits', '7'.repeat(900_000)],
    ['dots', 'a.'.repeat(450_000)],
  ] as const) {
    it(`a value of ${what} in every column`, async () => {
      const columns = [
        'email',
        'phone_number',
        'email_consent',
        'email_consented_at',
        'sms_consent',
      ];
      for (const column of columns) {
        const row = columns.map((name) => (name === column ? value : ''));
        const channels = ['email', 'sms'] as const;
        const [intent] = await intentsOf(`${columns.join(',')}\n${row.join(',')}`, {
          channels: [...channels],
        });
        const parts = intent === undefined ? [] : inShort(intent);
        assert.ok(parts.length > 0 && !parts.join().includes('subscribe'), parts.join());
      }
    });
  }

  it('malformed lines by the thousand, in one piece of the file', async () => {
    const lines = `"a"b,"x\ny"\n`.repeat(2_000);
    const rows = await intentsOf(`email,email_consent\n${lines}ada@example.com,yes`);
    assert.equal(rows.at(-1)?.email, 'ada@example.com');
    assert.equal(rows.length, 4_001);
  });

  it('a number of digits with a letter at its end', () => {
    const reading = readPhone(`${'1 '.repeat(40)}x`, '', null);
    assert.deepEqual(reading, { kind: 'refused', reason: 'phone_invalid' });
  });

  it('a sample of rows of a megabyte, and of columns without a name', async () => {
    const row = `ada@example.com,${'a'.repeat(900_000)}${','.repeat(1_000)}\n`;
    await withFile(`email,text${','.repeat(1_000)}\n${row.repeat(10)}`, async (file) => {
      const sample = await readSample(file);
      assert.deepEqual(sample.columns, ['email', 'text']);
      assert.equal(sample.rows.length, 4);
      assert.equal(sample.rows[0]?.length, 2);
    });
  });

  it('a mapping for 2,000 columns of dates', async () => {
    const columns = Array.from({ length: 1_999 }, (_, n) => `c${n}`).join(',');
    const row = `ada@example.com${',1 Jan 2020'.repeat(1_999)}\n`;
    await withFile(`email,${columns}\n${row.repeat(20)}`, async (file) => {
      const sample = await readSample(file);
      const { draft } = suggestMapping(sample.columns, sample.rows, ['email']);
      assert.equal(draft.email, 'email');
    });
  });

  it('a sample of a column with a name of a megabyte', async () => {
    await withFile(`${'x'.repeat(900_000)},email\n1,ada@example.com`, async (file) => {
      assert.equal((await readSample(file)).rows.length, 1);
    });
  });
});

describe('mappings of a size that no mapping has', { timeout: 60_000 }, () => {
  const mapping = (words: readonly string[]) =>
    `email: E\nchannels: {email: {consent: {column: C, subscribed: [${words.join(',')}]}}}`;

  it('of 200,000 words', () => {
    const words = Array.from({ length: 200_000 }, (_, n) => `w${n}`);
    assert.equal(
      parseMapping(mapping(words), 'm').channels.email?.consent?.subscribed?.length,
      200_000,
    );
    assert.throws(() => parseMapping(mapping([...words, 'w7']), 'm'), /"w7" has two meanings/);
  });

  it('of many megabytes', async () => {
    await withFile('#'.repeat(5 * MEGABYTE), async (file) => {
      await assert.rejects(readMapping(file), { code: 'mapping_unreadable', message: /4 MiB/ });
    });
  });

  it('without an end', { skip: process.platform === 'win32' && 'there is no /dev' }, async () => {
    await assert.rejects(readMapping('/dev/zero'), {
      code: 'mapping_unreadable',
      message: /4 MiB/,
    });
  });

  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map(
      (name, n) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[n]}`).join(',')}]`,
    ),
  ].join('\n');
  for (const [what, text, words] of [
    ['that grow as they are read', bomb, /Excessive alias count/],
    ['with an alias that names nothing', 'email: *nobody', /nobody/],
    ['nested by the thousand', '['.repeat(20_000), /not YAML or JSON/],
    ['nested by the thousand and closed', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, /YAML/],
  ] as const) {
    it(what, () => {
      assert.throws(
        () => parseMapping(text, 'm.yaml'),
        (error) => {
          assert.ok(error instanceof SourceError, String(error));
          assert.match(error.message, words);
          assert.ok(error.message.length < 1_000);
          return true;
        },
      );
    });
  }
});
