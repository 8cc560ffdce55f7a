import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeRowsCsv, type Row } from '../../../src/cli/report/part-rows.js';
import { writePrivateFile } from '../../../src/cli/report/private-file.js';
import { undoColumns, undoRow, undoRows } from '../../../src/cli/report/undo.js';
import { openSource } from '../../../src/importers/index.js';
import { pagesOf, reportedPart } from '../../support/reports.js';

const TAKEN = 'only the person can give the consent again';

describe('an undo file', () => {
  for (const [what, parts, consents] of [
    ['takes back a consent that the run gave', [{}], { email_consent: 'unsubscribed' }],
    [
      'takes back the consent of a person whom Klaviyo did not know',
      [{ consentBefore: null }],
      { email_consent: 'unsubscribed' },
    ],
    ['leaves out whoever was subscribed before', [{ consentBefore: 'SUBSCRIBED' }], null],
    ['leaves out whoever was erased', [{ erased: true, email: null }], null],
    ['leaves out what was not sent', [{ sent: false }], null],
    ['leaves out what waits for a click', [{ outcome: 'pending_double_opt_in' as const }], null],
    ['leaves out what was never seen', [{ outcome: 'unconfirmed' as const }], null],
    [
      'takes back memberships',
      [
        {
          channel: 'list' as const,
          operation: 'add_to_list' as const,
          outcome: 'list_only' as const,
        },
      ],
      { list: 'remove' },
    ],
    [
      'gives memberships back',
      [{ channel: 'list' as const, operation: 'remove_from_list' as const }],
      { list: 'add' },
    ],
    [
      'gives no consent back that the run took',
      [{ operation: 'unsubscribe' as const, consentBefore: 'SUBSCRIBED' }],
      { email_consent: '', note: `email: unsubscribed by the run; ${TAKEN}` },
    ],
    [
      'lifts a suppression, which is not consent',
      [
        {
          channel: 'suppression' as const,
          operation: 'suppress' as const,
          consentBefore: 'SUBSCRIBED',
        },
      ],
      { suppressed: 'lifted' },
    ],
    [
      'suppresses whose suppression the run lifted',
      [{ channel: 'suppression' as const, operation: 'unsuppress' as const }],
      { suppressed: 'yes' },
    ],
    [
      'has a person once, with the channels that changed',
      [
        {},
        { channel: 'sms' as const },
        { channel: 'whatsapp' as const, outcome: 'rejected' as const },
      ],
      { email_consent: 'unsubscribed', sms_consent: 'unsubscribed' },
    ],
  ] as const) {
    it(what, () => {
      const row = undoRow(
        parts.map((change) => reportedPart(change)),
        'run-1',
        'all',
      );
      const person = {
        email: 'ada@example.com',
        phone_number: null,
        country: null,
        undo_of: 'run-1',
        note: '',
      };
      assert.deepEqual(row, consents === null ? null : { ...person, ...consents });
    });
  }

  it('of the list alone removes whom the run added, and costs nobody their consent', () => {
    const rows = [
      [reportedPart({})],
      [reportedPart({ channel: 'list', operation: 'add_to_list', outcome: 'list_only' })],
      [reportedPart({ operation: 'unsubscribe' })],
      [reportedPart({ sent: false })],
    ].map((parts) => undoRow(parts, 'run-1', 'list'));
    assert.deepEqual(
      rows.map((row) => row && [row['list'], row['email_consent']]),
      [['remove', undefined], ['remove', undefined], null, null],
    );
  });

  it('is read by the importer as opt-outs of just these people', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    try {
      const path = join(folder, 'undo.csv');
      const rows: Row[] = [];
      const channels = ['email', 'sms'] as const;
      const lines = undoRows(
        pagesOf(
          [
            reportedPart({ phoneNumber: '+12015550123', country: 'US' }),
            reportedPart({ phoneNumber: '+12015550123', country: 'US', channel: 'sms' }),
            reportedPart({ rowNumber: 2, email: 'ben@example.com', consentBefore: 'SUBSCRIBED' }),
          ],
          [reportedPart({ rowNumber: 3, email: 'cai@example.com', operation: 'unsubscribe' })],
        ),
        'run-1',
        'all',
        (row) => rows.push(row),
      );
      await writePrivateFile(path, (file) =>
        writeRowsCsv(lines, undoColumns(channels, 'all'), file, true),
      );
      assert.equal(rows.length, 2);
      const source = await openSource(path, {
        channels,
        country: null,
        timezone: null,
        undated: 'subscribe',
        preset: null,
        now: new Date(),
      });
      const asked: unknown[] = [];
      for await (const batch of source.intents) {
        for (const { email, phoneNumber, parts } of batch) {
          const wants = parts.map(({ channel, operation, rejected }) => [
            channel,
            rejected ?? operation,
          ]);
          asked.push([email, phoneNumber, ...wants]);
        }
      }
      await source.close();
      assert.equal(source.preset, 'generic');
      assert.equal(source.isUndo, true);
      assert.deepEqual(asked, [
        ['ada@example.com', '+12015550123', ['email', 'unsubscribe'], ['sms', 'unsubscribe']],
        ['cai@example.com', null, ['email', 'nothing_asked']],
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
