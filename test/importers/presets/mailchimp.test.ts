import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ImportOptions } from '../../../src/importers/options.js';
import { inShort, intentOf } from '../../support/sources.js';

const COLUMNS = [
  'Email Address',
  'First Name',
  'Last Name',
  'Phone Number',
  'MEMBER_RATING',
  'OPTIN_TIME',
  'OPTIN_IP',
  'CONFIRM_TIME',
  'CONFIRM_IP',
  'CC',
  'LAST_CHANGED',
  'LEID',
  'EUID',
  'NOTES',
  'TAGS',
];
const both: Partial<ImportOptions> = { channels: ['email', 'sms'] };

type Row = Record<string, string>;

function file(row: Row, columns: readonly string[] = COLUMNS): string {
  const cells = columns.map((column) => `"${(row[column] ?? '').replaceAll('"', '""')}"`);
  return `${columns.join(',')}\r\n${cells.join(',')}\r\n`;
}

async function parts(row: Row, options: Partial<ImportOptions> = {}): Promise<string[]> {
  return inShort(await intentOf(file(row), options));
}

describe("Mailchimp's subscribed contacts", () => {
  const confirmed = { 'Email Address': 'A@example.com', CONFIRM_TIME: '2021-03-04 05:06:07' };
  const cases: [string, Row, Partial<ImportOptions>, string[]][] = [
    [
      'take CONFIRM_TIME',
      { ...confirmed, OPTIN_TIME: '2020-01-01 00:00:00' },
      {},
      ['email subscribe 2021-03-04T05:06:07Z'],
    ],
    [
      'take OPTIN_TIME where CONFIRM_TIME is blank',
      { ...confirmed, CONFIRM_TIME: ' ', OPTIN_TIME: '2020-01-02 03:04:05' },
      {},
      ['email subscribe 2020-01-02T03:04:05Z'],
    ],
    [
      'are on the list only where both are blank and the operator says so',
      { 'Email Address': 'a@example.com' },
      { undated: 'list_only' },
      ['list add_to_list undated'],
    ],
    [
      'are asked for e-mail only by default',
      { ...confirmed, 'Phone Number': '+12015550123' },
      {},
      ['email subscribe 2021-03-04T05:06:07Z'],
    ],
    [
      'are asked for SMS where the run asks and the row has a number, of the country in CC',
      { ...confirmed, 'Phone Number': '0491 570 006', CC: 'AU' },
      both,
      ['email subscribe 2021-03-04T05:06:07Z', 'sms subscribe 2021-03-04T05:06:07Z'],
    ],
    [
      'have no SMS part without a number',
      confirmed,
      both,
      ['email subscribe 2021-03-04T05:06:07Z'],
    ],
    [
      'keep the e-mail part beside a number that a spreadsheet broke',
      { ...confirmed, 'Phone Number': '1.20156E+10' },
      both,
      ['email subscribe 2021-03-04T05:06:07Z', 'sms phone_scientific_notation'],
    ],
    [
      'name a missing e-mail',
      { ...confirmed, 'Email Address': '' },
      {},
      ['email identifier_missing'],
    ],
  ];
  for (const [name, row, options, expected] of cases) {
    it(name, async () => {
      assert.deepEqual(await parts(row, options), expected);
    });
  }

  it('take the number from the column that the operator names', async () => {
    const columns = ['Email Address', 'Mobile', 'CONFIRM_TIME'];
    const row = { ...confirmed, Mobile: '+12015550123' };
    const intent = await intentOf(file(row, columns), { ...both, smsColumn: 'mobile' });
    assert.equal(intent.phoneNumber, '+12015550123');
  });
});

describe("Mailchimp's unsubscribed contacts", () => {
  const columns = [...COLUMNS, 'UNSUB_TIME', 'UNSUB_CAMPAIGN_TITLE', 'UNSUB_REASON'];
  const left = {
    'Email Address': 'a@example.com',
    CONFIRM_TIME: '2020-01-01 00:00:00',
    'Phone Number': '+12015550123',
  };

  it('are unsubscribed from e-mail, with the date they left, and nothing else', async () => {
    const intent = await intentOf(
      file({ ...left, UNSUB_TIME: '2021-03-04 05:06:07' }, columns),
      both,
    );
    assert.deepEqual(inShort(intent), ['email unsubscribe 2021-03-04T05:06:07Z']);
    assert.equal(intent.phoneNumber, null);
  });

  it('are unsubscribed without a date too, whatever undated rows become', async () => {
    for (const undated of ['reject', 'list_only', 'subscribe'] as const) {
      const options = { undated, preset: 'mailchimp-unsubscribed' } as const;
      const intent = await intentOf(file(left, columns), options);
      assert.deepEqual(inShort(intent), ['email unsubscribe']);
    }
  });

  it('are refused as opt-outs where the address is bad', async () => {
    const row = { ...left, 'Email Address': 'a', UNSUB_REASON: 'NORMAL' };
    const intent = await intentOf(file(row, columns));
    assert.deepEqual(intent.parts, [
      {
        channel: 'email',
        operation: 'unsubscribe',
        consentedAt: null,
        rejected: 'email_invalid',
        note: null,
      },
    ]);
  });
});
