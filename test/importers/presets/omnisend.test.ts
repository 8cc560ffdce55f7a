import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inShort, intentOf } from '../../support/sources.js';
import { AT, file, OMNISEND, type Options, type Row } from './layouts.js';

describe("Omnisend's contacts", () => {
  const dates = (optIn: string, optOut: string, sms: Row = {}): Row => ({
    Email: 'a@example.com',
    Phone: "'+12015550123",
    'Email opt-in date': optIn,
    'Email opt-out date': optOut,
    ...sms,
  });
  const cases: [string, Row, Options, string[]][] = [
    ['joined', dates('2021-03-04', ''), {}, [`email subscribe ${AT}`]],
    ['left', dates('', '2021-03-04'), {}, [`email unsubscribe ${AT}`]],
    ['left after they joined', dates('2020-03-04', '2021-03-04'), {}, [`email unsubscribe ${AT}`]],
    ['came back', dates('2021-03-04', '2020-03-04'), {}, [`email subscribe ${AT}`]],
    [
      'left and joined at once, which is an opt-out',
      dates('2021-03-04', '2021-03-04T12:00:00Z'),
      {},
      [`email unsubscribe ${AT}`],
    ],
    ['never subscribed', dates('', ''), {}, ['email nothing_asked']],
    [
      'left at no date that can be read',
      dates('2021-03-04', 'yes'),
      {},
      ['email unsubscribe date_not_used'],
    ],
    ['joined at no date that can be read', dates('yes', ''), {}, ['email consent_date_invalid']],
    [
      'joined in the future after they left',
      dates('2999-01-01', '2021-03-04'),
      {},
      [`email unsubscribe ${AT}`],
    ],
    [
      'joined and left by channel',
      dates('2021-03-04', '', {
        'SMS opt-in date': '2020-01-01',
        'SMS opt-out date': '2021-03-04',
      }),
      { channels: ['email', 'sms'] },
      [`email subscribe ${AT}`, `sms unsubscribe ${AT}`],
    ],
    [
      'are compared in the zone of the source',
      dates('2021-03-04T18:30:00+01:00', '2021-03-04'),
      { timezone: 'America/New_York' },
      ['email subscribe 2021-03-04T17:30:00Z'],
    ],
  ];
  for (const [name, row, options, parts] of cases) {
    it(name, async () => {
      assert.deepEqual(inShort(await intentOf(file(OMNISEND, row), options)), parts);
    });
  }

  for (const [optIn, optOut, column] of [
    ['2021-03-04', '', 'Email opt-in date'],
    ['2021-03-04', '2020-01-01T00:00:00Z', 'Email opt-in date'],
    ['2021-03-04T00:00:00Z', '2020-01-01', 'Email opt-out date'],
  ] as const) {
    it(`needs a zone for "${optIn}" and "${optOut}"`, async () => {
      await assert.rejects(intentOf(file(OMNISEND, dates(optIn, optOut)), { timezone: null }), {
        code: 'timezone_needed',
        line: 2,
        column,
      });
    });
  }

  it('need both dates of a channel', async () => {
    const columns = OMNISEND.filter((column) => column !== 'Email opt-out date');
    await assert.rejects(intentOf(file(columns, dates('2021-03-04', ''))), {
      code: 'consent_column_missing',
      column: 'Email opt-out date',
    });
  });
});
