import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConsentChannel } from '../../src/contracts/channels.js';
import { parseMapping } from '../../src/importers/mapping/mapping-file.js';
import { inShort, intentOf } from '../support/sources.js';

/** What each part of the only row became. */
const read = async (line: string, channels: readonly ConsentChannel[] = ['email']) =>
  inShort(await intentOf(line, { undated: 'subscribe', channels }));

describe('a JSON object with a key twice', () => {
  for (const [says, line, parts] of [
    [
      'no, then yes',
      '{"email":"a@example.com","email_consent":"unsubscribed","email_consent":"yes"}',
      ['email consent_value_unknown'],
    ],
    [
      'no, then yes, where the key is written with an escape',
      '{"email":"a@example.com","email_consent":"unsubscribed", "email\\u005fconsent" : "yes"}',
      ['email consent_value_unknown'],
    ],
    [
      'suppressed, then not',
      '{"email":"a@example.com","email_consent":"yes","suppressed":true,"suppressed":false}',
      ['email consent_value_unknown'],
    ],
    [
      'two addresses',
      '{"email":"a@example.com","email":"b@example.com","email_consent":"yes"}',
      ['email consent_value_unknown'],
    ],
    [
      'two dates',
      '{"email":"a@example.com","email_consent":"yes","email_consented_at":"2021-03-04","email_consented_at":"2024-03-04"}',
      ['email consent_value_unknown'],
    ],
    [
      'an object, which a word after it hides',
      '{"email":"a@example.com","email_consent":{"was":"no"},"email_consent":"yes"}',
      ['email consent_value_unknown'],
    ],
    [
      'a list of quotes, which a word after it hides',
      `{"note":["","${'\\\\\\"'.repeat(20_000)}"],"email":"a@example.com","email_consent":"yes","note":"x"}`,
      ['email consent_value_unknown'],
    ],
    [
      'two notes that nobody reads',
      '{"email":"a@example.com","email_consent":"yes","note":1,"note":2}',
      ['email consent_value_unknown'],
    ],
    [
      'the same twice',
      '{"email":"a@example.com","email_consent":"yes","email_consent":"yes"}',
      ['email subscribe'],
    ],
    [
      'something of that look in a value',
      '{"email":"a@example.com","note":"\\"email_consent\\":\\"unsubscribed\\"","email_consent":"yes"}',
      ['email subscribe'],
    ],
  ] as const) {
    it(`says ${says}: ${parts.join()}`, async () => {
      assert.deepEqual(await read(line), parts);
    });
  }

  it('asks for nothing at all of its row', async () => {
    const line =
      '{"email":"a@example.com","phone_number":"+12015550123","email_consent":"yes","email_consent":"unsubscribed","sms_consent":"yes"}';
    assert.deepEqual(await read(line, ['email', 'sms']), [
      'email consent_value_unknown',
      'sms consent_value_unknown',
    ]);
  });

  for (const hides of ['""', 'null', '"no"', '"never"']) {
    it(`may be a no where the second value is ${hides}`, async () => {
      const line = `{"email":"a@example.com","phone_number":"+12015550123","email_consent":"yes","sms_consent":"unsubscribed","sms_consent":${hides}}`;
      assert.deepEqual(await read(line, ['email', 'sms']), [
        'email consent_value_unknown',
        'sms consent_value_unknown',
      ]);
    });
  }

  it('counts in a column that only a mapping reads', async () => {
    const mapping = parseMapping(
      `email: mail
channels: {email: {consent: {column: optin, subscribed: [yes]}}}
suppressed: {column: bounced, values: [true]}`,
      'm.yaml',
    );
    const line = '{"mail":"a@example.com","optin":"yes","bounced":true,"bounced":false}';
    const row = await intentOf(line, { undated: 'subscribe', mapping });
    assert.deepEqual(inShort(row), ['email consent_value_unknown']);
  });
});
