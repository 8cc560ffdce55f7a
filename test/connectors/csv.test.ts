import assert from 'node:assert/strict';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'csv-stringify/sync';
import { openSource } from '../../src/importers/open-source.js';
import { SourceError } from '../../src/connectors/source-error.js';
import { OPTIONS, intentsOf, withFile } from '../support/sources.js';

const HEADER = 'email,email_consent\n';

function rows(count: number): string {
  return Array.from({ length: count }, (_, i) => `person-${i}@example.com,yes\n`).join('');
}

describe('openSource', () => {
  it('says which layout it recognised and which columns it found', async () => {
    const text = 'Email Address,CONFIRM_TIME,Other\na@example.com,,\n';
    await withFile(text, async (file) => {
      const source = await openSource(file, OPTIONS);
      assert.equal(source.preset, 'mailchimp-subscribed');
      assert.deepEqual(source.columns, ['Email Address', 'CONFIRM_TIME', 'Other']);
      await source.close();
    });
  });

  it('gives batches of 1,000 rows and the rest, the same ones each time', async () => {
    await withFile(HEADER + rows(2_500), async (file) => {
      const source = await openSource(file, { ...OPTIONS, undated: 'subscribe' });
      for (let time = 0; time < 2; time++) {
        const lines: number[][] = [];
        for await (const batch of source.intents) lines.push(batch.map((intent) => intent.line));
        assert.deepEqual(
          lines.map((batch) => batch.length),
          [1_000, 1_000, 500],
        );
        assert.deepEqual(
          lines.flat(),
          Array.from({ length: 2_500 }, (_, i) => i + 2),
        );
      }
      await source.close();
    });
  });

  const openFiles = '/proc/self/fd';
  it(
    'holds the file until it is closed, and no longer where it cannot be read',
    { skip: !existsSync(openFiles) },
    async () => {
      await withFile(HEADER + rows(50_000), async (file) => {
        const isOpen = (): boolean =>
          readdirSync(openFiles).some((fd) => {
            const link = join(openFiles, fd);
            return existsSync(link) && readlinkSync(link) === file;
          });
        const source = await openSource(file, { ...OPTIONS, undated: 'subscribe' });
        for await (const batch of source.intents) {
          assert.equal(batch.length, 1_000);
          break;
        }
        assert.ok(isOpen());
        await source.close();
        assert.ok(!isOpen());
        await assert.rejects(openSource(file, { ...OPTIONS, preset: 'omnisend' }), SourceError);
        assert.ok(!isOpen());
      });
    },
  );

  it('reads tabs and semicolons', async () => {
    for (const delimiter of ['\t', ';']) {
      const text = `email${delimiter}email_consent${delimiter}notes\na@example.com${delimiter}yes${delimiter}"a, b${delimiter}c"\n`;
      const [intent] = await intentsOf(text, { undated: 'subscribe' });
      assert.equal(intent?.email, 'a@example.com');
    }
  });

  it('reads characters that the chunks of the file cut in two', async () => {
    const notes = '\u{1F600}é漢'.repeat(60_000);
    const text = `email,email_consent,notes\na@example.com,yes,${notes}\nb@example.com,yes,é\n`;
    const intents = await intentsOf(text, { undated: 'subscribe' });
    assert.deepEqual(
      intents.map(({ line, email }) => [line, email]),
      [
        [2, 'a@example.com'],
        [3, 'b@example.com'],
      ],
    );
  });

  it('gives each row of any file the line it begins on', async () => {
    const note = fc.string({
      unit: fc.constantFrom('x', ',', '"', '\n', '\r\n', ' '),
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(note, { minLength: 1 }),
        fc.constantFrom('\n', '\r\n'),
        async (notes, lineEnd) => {
          const records = notes.map((text, i) => [text, `person-${i}@example.com`, 'yes']);
          const text = stringify([['notes', 'email', 'email_consent'], ...records], {
            record_delimiter: lineEnd,
            bom: true,
            quoted_match: /[\r\n]/,
          });
          const intents = await intentsOf(text, { undated: 'subscribe' });
          let line = 2;
          const expected = notes.map((value, i) => {
            const begin = line;
            line += value.split('\n').length;
            return [begin, `person-${i}@example.com`];
          });
          assert.deepEqual(
            intents.map((intent) => [intent.line, intent.email]),
            expected,
          );
        },
      ),
      { numRuns: 40 },
    );
  });
});
