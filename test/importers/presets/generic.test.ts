import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ImportOptions } from '../../../src/importers/options.js';
import { inShort, intentOf, intentsOf } from '../../support/sources.js';

const HEADER =
  'email,phone_number,country,email_consent,sms_consent,email_consented_at,sms_consented_at,source';
const DAY = '2021-03-04';
const NOON = '2021-03-04T12:00:00Z';
const both: Partial<ImportOptions> = { channels: ['email', 'sms'] };

async function parts(row: string, options: Partial<ImportOptions> = {}): Promise<string[]> {
  return inShort(await intentOf(`${HEADER}\n${row}\n`, options));
}

describe('the generic layout', () => {
  type Case = [string, string, Partial<ImportOptions>, string[]];
  const cases: Case[] = [
    ['subscribes to e-mail', `a@example.com,,,yes,,${DAY},,`, {}, [`email subscribe ${NOON}`]],
    [
      'leaves SMS alone where the run does not ask for it',
      `a@example.com,+12015550123,US,yes,yes,${DAY},${DAY},`,
      {},
      [`email subscribe ${NOON}`],
    ],
    [
      'subscribes to both channels, each with its date',
      `a@example.com,+12015550123,US,yes,yes,${DAY},2022-01-01,`,
      both,
      [`email subscribe ${NOON}`, 'sms subscribe 2022-01-01T12:00:00Z'],
    ],
    [
      'subscribes nobody to SMS because there is a number',
      `a@example.com,+12015550123,US,yes,,${DAY},${DAY},`,
      both,
      [`email subscribe ${NOON}`],
    ],
    [
      'keeps the e-mail part beside a bad number',
      `a@example.com,12,US,yes,yes,${DAY},${DAY},`,
      both,
      [`email subscribe ${NOON}`, 'sms phone_invalid'],
    ],
    [
      'keeps the SMS part beside a bad e-mail',
      `a@example,+12015550123,US,yes,yes,${DAY},${DAY},`,
      both,
      ['email email_invalid', `sms subscribe ${NOON}`],
    ],
    ['misses the number', `a@example.com,,,,yes,,${DAY},`, both, ['sms phone_missing']],
    ['misses the e-mail', `,+12015550123,US,yes,,${DAY},,`, both, ['email email_missing']],
    ['misses any identifier', `,,US,yes,yes,${DAY},${DAY},`, both, ['email identifier_missing']],
    ['unsubscribes', `a@example.com,,,Unsubscribed,,${DAY},,`, {}, [`email unsubscribe ${NOON}`]],
    ['unsubscribes without a date', 'a@example.com,,,opted-out,,,,', {}, ['email unsubscribe']],
    [
      'honours an opt-out whose date makes no sense',
      'a@example.com,,,unsubscribed,,03/04/21,,',
      {},
      ['email unsubscribe date_not_used'],
    ],
    [
      'honours an opt-out of the future',
      'a@example.com,,,unsubscribed,,2999-01-01,,',
      {},
      ['email unsubscribe date_not_used'],
    ],
    ['takes "no" for never asked', `a@example.com,,,no,,${DAY},,`, {}, ['email nothing_asked']],
    ['takes a blank for never asked', 'a@example.com,,,,,,,', {}, ['email nothing_asked']],
    [
      'refuses other words, with the date on which they were said',
      `a@example.com,,,maybe,,${DAY},,`,
      {},
      [`email consent_value_unknown ${NOON}`],
    ],
    [
      'notes the move to 1990 of a refused word as well',
      'a@example.com,,,maybe,,1980-01-01,,',
      {},
      ['email consent_value_unknown 1990-01-01T00:00:00Z clamped_to_1990'],
    ],
    ...['', '4 March', '2999-01-01'].map((date): Case => [
      `takes the date "${date}" of a refused word for none`,
      `a@example.com,,,maybe,,${date},,`,
      {},
      ['email consent_value_unknown'],
    ]),
    [
      'is not stopped by a refused word whose date has no zone',
      'a@example.com,,,maybe,,2021-03-04 05:06,,',
      { timezone: null },
      ['email consent_value_unknown'],
    ],
    [
      'keeps the date of an opt-out that it refuses',
      `a@example.com,12,US,,unsubscribed,,${DAY},`,
      both,
      [`sms phone_invalid ${NOON}`],
    ],
    [
      'attests no date of a refused word',
      'a@example.com,,,maybe,,,,',
      { consentedAt: '2024-05-01' },
      ['email consent_value_unknown'],
    ],
    [
      'refuses words that are names of object properties',
      `a@example.com,,,constructor,,${DAY},,`,
      {},
      [`email consent_value_unknown ${NOON}`],
    ],
    ['adds to the list only', 'a@example.com,,,list_only,,,,', {}, ['list add_to_list']],
    [
      'adds to the list once for both channels',
      'a@example.com,,,list only,LIST-ONLY,,,',
      both,
      ['list add_to_list'],
    ],
    [
      'adds a number without e-mail to the list',
      ',+12015550123,,,list_only,,,',
      both,
      ['list add_to_list'],
    ],
    ['adds no bad address to the list', 'nobody,,,list_only,,,,', {}, ['list email_invalid']],
    ['refuses bad dates', 'a@example.com,,,yes,,4 March,,', {}, ['email consent_date_invalid']],
    [
      'refuses future dates',
      'a@example.com,,,yes,,2999-01-01,,',
      {},
      ['email consent_date_in_future'],
    ],
    [
      'notes the move to 1990',
      'a@example.com,,,yes,,1980-01-01,,',
      {},
      ['email subscribe 1990-01-01T00:00:00Z clamped_to_1990'],
    ],
    ['refuses undated rows', 'a@example.com,,,yes,,,,', {}, ['email consent_date_missing']],
    [
      'subscribes undated rows without a date where the operator says so',
      'a@example.com,,,yes,,,,',
      { undated: 'subscribe' },
      ['email subscribe'],
    ],
    [
      'adds undated rows to the list once where the operator says so',
      'a@example.com,+12015550123,,yes,yes,,,',
      { ...both, undated: 'list_only' },
      ['list add_to_list undated'],
    ],
    [
      'reads nothing into an e-mail date for SMS',
      `a@example.com,+12015550123,,yes,yes,${DAY},,`,
      { ...both, undated: 'list_only' },
      [`email subscribe ${NOON}`, 'list add_to_list undated'],
    ],
  ];
  for (const [name, row, options, expected] of cases) {
    it(name, async () => {
      assert.deepEqual(await parts(row, options), expected);
    });
  }

  it('gives normalised identifiers and keeps the raw ones where they differ', async () => {
    const rows = [
      ` ADA@example.com,"(201) 555-0123",us,yes,yes,${DAY},${DAY},`,
      `bob@example.com,+12015550124,,yes,yes,${DAY},${DAY},`,
      `nobody,1.2E+10,FR,yes,yes,${DAY},${DAY},`,
    ];
    const intents = await intentsOf(`${HEADER}\n${rows.join('\n')}\n`, both);
    assert.deepEqual(
      intents.map((i) => [i.line, i.email, i.rawEmail, i.phoneNumber, i.rawPhone, i.country]),
      [
        [2, 'ada@example.com', ' ADA@example.com', '+12015550123', '(201) 555-0123', 'US'],
        [3, 'bob@example.com', null, '+12015550124', null, 'US'],
        [4, null, 'nobody', null, '1.2E+10', 'FR'],
      ],
    );
  });

  it('keeps no phone number of a row that asks nothing of SMS', async () => {
    const row = `a@example.com,(201) 555-0123,US,yes,,${DAY},,`;
    const intent = await intentOf(`${HEADER}\n${row}\n`, both);
    assert.deepEqual([intent.phoneNumber, intent.rawPhone], [null, null]);
  });

  it('takes columns in any order and case, with others beside them', async () => {
    const text = `Notes; EMAIL_CONSENT ;Email\n"a;b";yes;a@example.com\n`;
    const intent = await intentOf(text, { undated: 'subscribe' });
    assert.deepEqual([intent.email, ...inShort(intent)], ['a@example.com', 'email subscribe']);
  });

  it('refuses malformed rows by their line and goes on', async () => {
    const good = (name: string): string => `${name}@example.com,,,yes,,${DAY},,`;
    const text = [
      HEADER,
      good('a'),
      'too,few',
      `${good('b')},one too many`,
      `c@example.com,,,yes,,${DAY},,"quoted" badly`,
      good('d'),
      '',
      `e@example.com,,,yes,,${DAY},,"on\r\nthree\r\nlines"`,
      good('f'),
    ].join('\r\n');
    const intents = await intentsOf(`\uFEFF${text}`);
    assert.deepEqual(
      intents.map((intent) => [intent.line, intent.email, ...inShort(intent)]),
      [
        [2, 'a@example.com', `email subscribe ${NOON}`],
        [3, null, 'email row_malformed'],
        [4, null, 'email row_malformed'],
        [5, null, 'email row_malformed'],
        [6, 'd@example.com', `email subscribe ${NOON}`],
        [8, 'e@example.com', `email subscribe ${NOON}`],
        [11, 'f@example.com', `email subscribe ${NOON}`],
      ],
    );
  });

  it('never leaves a NUL for the ledger, which cannot hold it', async () => {
    const blank = `,,,yes,,${DAY},,${'x'.repeat(600)}`;
    const intents = await intentsOf(`${HEADER}\n${blank}\nno\0body,,,yes,,${DAY},,\n`);
    assert.deepEqual([intents[1]?.rawEmail, intents[1]?.email], ['no\uFFFDbody', null]);
  });

  it('knows its columns whatever marks without width stand around their names', async () => {
    const header = '\uFEFF email\u200B,email_consent,suppressed\u200B';
    assert.deepEqual(inShort(await intentOf(`${header}\na@example.com,yes,yes`)), [
      'suppression suppress',
    ]);
  });
});
