import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CONSENT_CHANNELS } from '../../../src/contracts/channels.js';
import type { ImportOptions } from '../../../src/importers/options.js';
import { SourceError } from '../../../src/connectors/source-error.js';
import { inShort, intentOf } from '../../support/sources.js';

describe('implicit consent', () => {
  const implicit: Partial<ImportOptions> = { consent: 'implicit' };
  const cases: [string, string, string[]][] = [
    ['puts who would be subscribed on the list', 'yes', ['list add_to_list implicit_consent']],
    ['leaves opt-outs opt-outs', 'unsubscribed', ['email unsubscribe']],
    ['asks nothing for who said no', 'no', ['email nothing_asked']],
    ['refuses unknown words', 'maybe', ['email consent_value_unknown']],
  ];
  for (const [name, word, expected] of cases) {
    it(name, async () => {
      const source = `email,email_consent\na@example.com,${word}\n`;
      assert.deepEqual(inShort(await intentOf(source, implicit)), expected);
    });
  }

  it('takes a source without consent columns whole', async () => {
    const source = 'email,name\na@example.com,Ada\n';
    assert.deepEqual(inShort(await intentOf(source, implicit)), [
      'list add_to_list implicit_consent',
    ]);
    await assert.rejects(intentOf(source), { code: 'consent_column_missing' });
  });

  it('subscribes nobody of an export of subscribed contacts', async () => {
    const source = 'Email Address,CONFIRM_TIME\na@example.com,2021-03-04 05:06:07\n';
    assert.deepEqual(inShort(await intentOf(source, implicit)), [
      'list add_to_list implicit_consent',
    ]);
  });

  const refused: [readonly (typeof CONSENT_CHANNELS)[number][], RegExp][] = [
    [['sms'], /implicit consent is refused for SMS/i],
    [['email', 'sms_transactional'], /refused for SMS.*Leave sms_transactional out/],
    [['whatsapp'], /refused for whatsapp/],
    [['sms', 'sms_transactional'], /refused for SMS:/],
    [['push'], /refused for push/],
  ];
  for (const [channels, says] of refused) {
    it(`is refused for ${channels.join(' and ')}`, async () => {
      await assert.rejects(
        intentOf('email\na@example.com\n', { ...implicit, channels }),
        (error) => {
          assert.ok(error instanceof SourceError);
          assert.equal(error.code, 'implicit_consent_refused');
          assert.match(error.message, says);
          return true;
        },
      );
    });
  }
});

describe('an attested consent date', () => {
  const attested: Partial<ImportOptions> = { consentedAt: '2024-05-01' };
  const source = (consent: string, date: string): string =>
    `email,email_consent,email_consented_at\na@example.com,${consent},${date}\n`;
  const cases: [string, string, string, string[]][] = [
    ['dates rows without one', 'yes', '', ['email subscribe 2024-05-01T12:00:00Z date_attested']],
    ['leaves dates as they are', 'yes', '2021-03-04', ['email subscribe 2021-03-04T12:00:00Z']],
    ['mends no bad date', 'yes', '4 March', ['email consent_date_invalid']],
    ['mends no date of the future', 'yes', '2999-01-01', ['email consent_date_in_future']],
    ['says nothing of opt-outs', 'unsubscribed', '', ['email unsubscribe']],
  ];
  for (const [name, consent, date, expected] of cases) {
    it(name, async () => {
      assert.deepEqual(inShort(await intentOf(source(consent, date), attested)), expected);
    });
  }

  it('may have a time and a zone of its own', async () => {
    const options = { consentedAt: '2024-05-01T08:00:00+02:00', timezone: null };
    assert.deepEqual(inShort(await intentOf(source('yes', ''), options)), [
      'email subscribe 2024-05-01T06:00:00Z date_attested',
    ]);
  });

  const refused: [string, Partial<ImportOptions>, string][] = [
    ['of no zone', { consentedAt: '2024-05-01', timezone: null }, 'timezone_needed'],
    ['of the future', { consentedAt: '2999-01-01' }, 'consented_at_invalid'],
    ['that is none', { consentedAt: 'May' }, 'consented_at_invalid'],
    ['that is blank', { consentedAt: ' ' }, 'consented_at_invalid'],
  ];
  for (const [name, options, code] of refused) {
    it(`is refused ${name}`, async () => {
      await assert.rejects(intentOf(source('yes', ''), options), { code });
    });
  }
});
