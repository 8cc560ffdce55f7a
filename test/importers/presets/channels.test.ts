import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONSENT_CHANNELS } from '../../../src/contracts/channels.js';
import type { ImportOptions } from '../../../src/importers/options.js';
import { inShort, intentOf } from '../../support/sources.js';

const COLUMNS = [
  'email',
  'phone_number',
  'country',
  'date_of_birth',
  ...CONSENT_CHANNELS.flatMap((channel) => [`${channel}_consent`, `${channel}_consented_at`]),
  'push_token',
  'push_platform',
  'suppressed',
  'suppression_reason',
];
const ALL: Partial<ImportOptions> = { channels: CONSENT_CHANNELS };

type Row = Readonly<Record<string, string>>;

function text(row: Row, columns: readonly string[] = COLUMNS): string {
  return `${columns.join(',')}\n${columns.map((column) => row[column] ?? '').join(',')}\n`;
}

const read = (row: Row, options: Partial<ImportOptions> = ALL) => intentOf(text(row), options);

const person: Row = {
  email: 'a@example.com',
  phone_number: '+12015550123',
  country: 'US',
  date_of_birth: '1980-02-29',
  push_token: 'token-1',
  push_platform: 'iOS',
};

describe('the channels of the generic layout', () => {
  it('have each a consent and a date of their own', async () => {
    const consents = CONSENT_CHANNELS.flatMap((channel, i) => [
      [`${channel}_consent`, 'yes'],
      [`${channel}_consented_at`, `202${i}-03-04`],
    ]);
    const intent = await read({ ...person, ...(Object.fromEntries(consents) as Row) });
    assert.deepEqual(
      inShort(intent),
      CONSENT_CHANNELS.map((channel, i) => `${channel} subscribe 202${i}-03-04T12:00:00Z`),
    );
    assert.deepEqual(
      [intent.phoneNumber, intent.dateOfBirth, intent.push],
      ['+12015550123', '1980-02-29', { token: 'token-1', platform: 'ios' }],
    );
  });

  it('are never asked because their identifiers are there', async () => {
    const intent = await read(person);
    assert.deepEqual(inShort(intent), ['email nothing_asked']);
    assert.deepEqual(
      [intent.phoneNumber, intent.dateOfBirth, intent.push],
      [null, undefined, undefined],
    );
  });

  for (const asked of CONSENT_CHANNELS) {
    it(`take ${asked} for ${asked} alone`, async () => {
      const row = {
        ...person,
        [`${asked}_consent`]: 'yes',
        [`${asked}_consented_at`]: '2021-03-04',
      };
      assert.deepEqual(inShort(await read(row)), [`${asked} subscribe 2021-03-04T12:00:00Z`]);
    });

    it(`leave ${asked} alone where the run does not ask for it`, async () => {
      const channels = CONSENT_CHANNELS.filter((channel) => channel !== asked);
      const row = {
        ...person,
        [`${asked}_consent`]: 'yes',
        [`${asked}_consented_at`]: '2021-03-04',
      };
      const intent = await read(row, { channels });
      assert.ok(!intent.parts.some(({ channel, rejected }) => channel === asked && !rejected));
    });

    it(`need the consent column of ${asked}`, async () => {
      const columns = COLUMNS.filter((column) => !column.startsWith(`${asked}_consent`));
      const without = columns.filter((column) => !column.startsWith('suppress'));
      await assert.rejects(intentOf(text(person, without), ALL), {
        code: 'consent_column_missing',
        column: `${asked}_consent`,
      });
    });
  }

  const day = { consented_at: '2021-03-04' };
  const asks = (channel: string, row: Row = {}): Row => ({
    ...person,
    [`${channel}_consent`]: 'yes',
    [`${channel}_consented_at`]: day.consented_at,
    ...row,
  });
  const noon = '2021-03-04T12:00:00Z';
  const cases: [string, Row, string[]][] = [
    [
      'refuse a landline for texts',
      asks('sms', { phone_number: '+442079460123' }),
      ['sms phone_landline'],
    ],
    [
      'take a landline for WhatsApp, with a note',
      asks('whatsapp', { phone_number: '+442079460123', country: 'GB' }),
      [`whatsapp subscribe ${noon} phone_landline`],
    ],
    [
      'note a landline beside a word about texts that is refused, so that the plan knows it',
      {
        ...asks('whatsapp', { phone_number: '+442079460123', country: 'GB' }),
        ...{ sms_consent: 'perhaps', sms_consented_at: '2021-03-04' },
      },
      [
        `sms consent_value_unknown ${noon} phone_landline`,
        `whatsapp subscribe ${noon} phone_landline`,
      ],
    ],
    [
      'refuse a toll-free number for both',
      {
        ...asks('sms', { phone_number: '+18005550199' }),
        ...asks('whatsapp', { phone_number: '+18005550199' }),
        sms_consent: 'yes',
        sms_consented_at: '2021-03-04',
      },
      ['sms phone_type_not_textable', 'whatsapp phone_type_not_textable'],
    ],
    [
      'note a number of another country than the row',
      asks('sms', { phone_number: '+14165550123' }),
      [`sms subscribe ${noon} phone_of_other_country`],
    ],
    [
      'note a number of Puerto Rico in a row of the US',
      asks('sms', { phone_number: '+17875550123' }),
      [`sms subscribe ${noon} phone_of_other_country`],
    ],
    [
      'say that a day of birth is none, where texts are asked',
      { ...asks('sms', { date_of_birth: '29.02.1980' }), email_consent: 'unsubscribed' },
      ['email unsubscribe', `sms subscribe ${noon} date_of_birth_not_used`],
    ],
    [
      'say that a day of birth is not in the calendar',
      asks('sms_transactional', { date_of_birth: '1981-02-29' }),
      [`sms_transactional subscribe ${noon} date_of_birth_not_used`],
    ],
    [
      'say nothing of a day of birth where no texts are asked',
      asks('email', { date_of_birth: 'x' }),
      [`email subscribe ${noon}`],
    ],
    [
      'take push without a device',
      asks('push', { push_token: '', push_platform: '' }),
      [`push subscribe ${noon}`],
    ],
    [
      'say that a device is of no known platform',
      asks('push', { push_platform: 'web' }),
      [`push subscribe ${noon} push_token_not_used`],
    ],
    [
      'take push of somebody with a phone number only',
      asks('push', { email: '' }),
      [`push subscribe ${noon}`],
    ],
    [
      'refuse push of nobody',
      asks('push', { email: '', phone_number: '' }),
      ['email identifier_missing'],
    ],
    ['refuse push of a bad address', asks('push', { email: 'a@' }), ['push email_invalid']],
    [
      'refuse WhatsApp without a number',
      asks('whatsapp', { phone_number: '' }),
      ['whatsapp phone_missing'],
    ],
  ];
  for (const [name, row, expected] of cases) {
    it(name, async () => {
      assert.deepEqual(inShort(await read(row)), expected);
    });
  }

  it('keep the number of a landline only where WhatsApp uses it', async () => {
    const landline = { phone_number: '+442079460123' };
    const texts = await read(asks('sms', landline));
    assert.deepEqual(
      [texts.phoneNumber, texts.rawPhone, texts.country],
      [null, '+442079460123', 'GB'],
    );
    assert.equal((await read(asks('whatsapp', landline))).phoneNumber, '+442079460123');
  });

  it('keep a device only where push is asked', async () => {
    assert.equal((await read(asks('email'))).push, undefined);
  });

  it('take SMS from a source with numbers only', async () => {
    const source = 'phone_number,sms_consent,sms_consented_at\n+12015550123,yes,2021-03-04\n';
    assert.deepEqual(inShort(await intentOf(source, { channels: ['sms'] })), [
      `sms subscribe ${noon}`,
    ]);
  });
});

describe('suppressions of the generic layout', () => {
  const cases: [string, Row, string[]][] = [
    ['suppress', { suppressed: 'yes' }, ['suppression suppress']],
    [
      'come before a consent of the row',
      { suppressed: 'TRUE', email_consent: 'yes', email_consented_at: '2021-03-04' },
      ['suppression suppress'],
    ],
    [
      'leave other channels as they are',
      { suppressed: '1', sms_consent: 'yes', sms_consented_at: '2021-03-04' },
      ['sms subscribe 2021-03-04T12:00:00Z', 'suppression suppress'],
    ],
    [
      'keep people off the list',
      { suppressed: '1', email_consent: 'list_only', sms_consent: 'list_only' },
      ['suppression suppress'],
    ],
    [
      "keep Klaviyo's reason",
      { suppressed: 'yes', suppression_reason: 'Hard Bounce' },
      ['suppression suppress suppressed_hard_bounce'],
    ],
    [
      'keep no other words, which may be about the person',
      { suppressed: 'yes', suppression_reason: 'asked Ada to stop' },
      ['suppression suppress'],
    ],
    [
      'follow from a reason alone',
      { suppression_reason: 'spam_complaint' },
      ['suppression suppress suppressed_spam_complaint'],
    ],
    [
      'do not follow from a reason that is denied',
      { suppressed: 'no', suppression_reason: 'spam_complaint' },
      ['email nothing_asked'],
    ],
    [
      'are not asked by "no"',
      { suppressed: 'no', email_consent: 'unsubscribed' },
      ['email unsubscribe'],
    ],
    [
      'refuse other words rather than subscribe',
      { suppressed: 'perhaps', email_consent: 'yes', email_consented_at: '2021-03-04' },
      ['suppression consent_value_unknown'],
    ],
    [
      'leave a clear opt-out beside a word that is not known',
      { suppressed: 'perhaps', email_consent: 'unsubscribed', email_consented_at: '2021-03-04' },
      ['email unsubscribe 2021-03-04T12:00:00Z', 'suppression consent_value_unknown'],
    ],
    [
      'stand beside an opt-out of the row',
      { suppressed: 'yes', email_consent: 'unsubscribed', email_consented_at: '2021-03-04' },
      ['email unsubscribe 2021-03-04T12:00:00Z', 'suppression suppress'],
    ],
    [
      'follow from a reason of Klaviyo beside a word that is not known',
      { suppressed: 'perhaps', suppression_reason: 'spam_complaint', email_consent: 'yes' },
      ['suppression suppress suppressed_spam_complaint'],
    ],
    [
      'are in doubt where neither word is known',
      { suppressed: 'perhaps', suppression_reason: 'asked Ada to stop', email_consent: 'yes' },
      ['suppression consent_value_unknown'],
    ],
    [
      'keep people off the list for a word that is not known',
      { suppressed: 'perhaps', email_consent: 'list_only', sms_consent: 'list_only' },
      ['suppression consent_value_unknown'],
    ],
    [
      'leave other channels as they are, whatever word it is',
      {
        ...{ suppressed: 'perhaps', email_consent: 'unsubscribed' },
        ...{ sms_consent: 'yes', sms_consented_at: '2021-03-04' },
      },
      [
        'email unsubscribe',
        'sms subscribe 2021-03-04T12:00:00Z',
        'suppression consent_value_unknown',
      ],
    ],
    ['need an address', { suppressed: 'yes', email: '' }, ['suppression email_missing']],
    ['need a good address', { suppressed: 'yes', email: 'a@' }, ['suppression email_invalid']],
    ['are lifted', { suppressed: 'lifted' }, ['suppression unsuppress']],
    [
      'that are lifted leave consent as the row has it',
      { suppressed: 'Lifted', email_consent: 'unsubscribed' },
      ['email unsubscribe', 'suppression unsuppress'],
    ],
  ];
  for (const [name, row, expected] of cases) {
    it(name, async () => {
      assert.deepEqual(inShort(await read({ ...person, ...row })), expected);
    });
  }

  it('can be all that a source holds', async () => {
    const source = 'email,suppressed\na@example.com,yes\n';
    assert.deepEqual(inShort(await intentOf(source)), ['suppression suppress']);
  });

  it('are left alone where the run does not ask for e-mail', async () => {
    const intent = await read({ ...person, suppressed: 'yes' }, { channels: ['sms'] });
    assert.deepEqual(inShort(intent), ['sms nothing_asked']);
  });
});
