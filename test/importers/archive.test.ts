import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { originalLines } from '../../src/connectors/original-lines.js';
import { optOutsFirst } from '../../src/importers/archive-source.js';
import { openSource } from '../../src/importers/open-source.js';
import { readSample } from '../../src/importers/sample.js';
import { inShort, intentsOfSource, OPTIONS, withFile } from '../support/sources.js';
import { zipOf } from '../support/zip.js';

const SUBSCRIBED =
  'Email Address,First Name,OPTIN_TIME,CONFIRM_TIME\nada@example.com,Ada,,2021-03-04 05:06:07\nno address,,,\n';
const UNSUBSCRIBED =
  'Email Address,UNSUB_TIME\nbob@example.com,2022-01-02 03:04:05\n"kim@example.com\n",\n';
const CLEANED =
  'Email Address,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE\nmal@example.com,2022-01-02 03:04:05,\n';

const MAILCHIMP = {
  'subscribed_members_export_1.csv': SUBSCRIBED,
  'unsubscribed_members_export_1.csv': UNSUBSCRIBED,
  'cleaned_members_export_1.csv': CLEANED,
};

describe('an archive of several files', () => {
  it('is one source, suppressions and opt-outs first, with lines counted on', async () => {
    await withFile(await zipOf(MAILCHIMP), async (file) => {
      const source = await openSource(file, OPTIONS);
      const intents = await intentsOfSource(source);
      assert.deepEqual(
        intents.map((intent) => [intent.line, intent.email, ...inShort(intent)]),
        [
          [2, 'mal@example.com', 'suppression suppress suppressed_hard_bounce'],
          [5, 'bob@example.com', 'email unsubscribe 2022-01-02T03:04:05Z'],
          [6, 'kim@example.com', 'email unsubscribe'],
          [10, 'ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
          [11, null, 'email email_invalid'],
        ],
      );
      assert.equal(
        source.preset,
        'mailchimp-cleaned + mailchimp-unsubscribed + mailchimp-subscribed',
      );
      assert.match(
        source.notices[0] ?? '',
        /read as one source: cleaned_members_export_1\.csv \(mailchimp-cleaned, from line 1\), unsub.* \(mailchimp-unsubscribed, from line 4\), sub.*from line 9\)/,
      );
      await source.close();
    });
  });

  it('keeps the file and the line of its original lines', async () => {
    await withFile(await zipOf(MAILCHIMP), async (file) => {
      const source = await openSource(file, OPTIONS);
      const sha256 = await source.sha256();
      await source.close();
      const lines = [];
      const reading = { order: optOutsFirst };
      for await (const line of originalLines(file, new Set([6, 11]), sha256, reading)) {
        lines.push(line);
      }
      assert.deepEqual(lines, [
        {
          line: 6,
          text: '"kim@example.com\n",',
          within: { name: 'unsubscribed_members_export_1.csv', line: 3 },
        },
        {
          line: 11,
          text: 'no address,,,',
          within: { name: 'subscribed_members_export_1.csv', line: 3 },
        },
      ]);
    });
  });

  it('may have files without rows, which are told', async () => {
    const files = { ...MAILCHIMP, 'cleaned_members_export_1.csv': 'Email Address,CLEAN_TIME\n' };
    await withFile(await zipOf(files), async (file) => {
      const source = await openSource(file, OPTIONS);
      assert.equal((await intentsOfSource(source)).length, 4);
      assert.ok(source.notices.includes('Without rows: cleaned_members_export_1.csv.'));
      await source.close();
    });
  });

  it('is refused with its file where one is not understood', async () => {
    const files = { ...MAILCHIMP, 'orders.csv': 'id,total\n1,2\n' };
    await withFile(await zipOf(files), async (file) => {
      await assert.rejects(openSource(file, OPTIONS), {
        code: 'layout_unknown',
        message: /export\.csv > orders\.csv, line 1: /,
      });
      await assert.rejects(openSource(file, { ...OPTIONS, preset: 'mailchimp-cleaned' }), {
        code: 'layout_unknown',
      });
    });
  });

  it('is refused where no file has rows', async () => {
    const files = { 'a.csv': 'email,email_consent\n', 'b.csv': 'email,email_consent\n' };
    await withFile(await zipOf(files), async (file) => {
      await assert.rejects(openSource(file, OPTIONS), {
        code: 'file_without_rows',
        message: /files of the archive have headers but no rows/,
      });
    });
  });

  it('names the line within its file where the source is refused', async () => {
    await withFile(await zipOf(MAILCHIMP), async (file) => {
      const source = await openSource(file, { ...OPTIONS, timezone: null });
      await assert.rejects(intentsOfSource(source), {
        code: 'timezone_needed',
        line: 2,
        file: `${file} > unsubscribed_members_export_1.csv`,
      });
      await source.close();
    });
  });

  it('asks about a status that only the name of the archive or a folder in it tells', async () => {
    const csv =
      'Email Address,First Name,OPTIN_TIME,CONFIRM_TIME\nada@example.com,Ada,,2021-03-04\n';
    const folder = mkdtempSync(join(tmpdir(), 'consentry-archive-'));
    try {
      for (const [name, within] of [
        ['unsubscribed.zip', 'export.csv'],
        ['export.zip', 'cleaned/export.csv'],
      ] as const) {
        const file = join(folder, name);
        writeFileSync(file, await zipOf({ [within]: csv }));
        await assert.rejects(openSource(file, OPTIONS), { code: 'status_not_told' });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has no mapping asked about it as a whole', async () => {
    await withFile(await zipOf(MAILCHIMP), async (file) => {
      await assert.rejects(readSample(file), { code: 'archive_of_several', message: /Unpack it/ });
    });
  });
});
