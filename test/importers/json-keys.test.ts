import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConsentChannel } from '../../src/contracts/channels.js';
import { inShort, intentOf } from './sources.js';

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
      ['email email_invalid'],
    ],
    [
      'two dates',
      '{"email":"a@example.com","email_consent":"yes","email_consented_at":"2021-03-04","email_consented_at":"2024-03-04"}',
      ['email consent_date_invalid'],
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

  it('asks for the other channels of the row all the same', async () => {
    const line =
      '{"email":"a@example.com","phone_number":"+12015550123","email_consent":"yes","email_consent":"unsubscribed","sms_consent":"yes"}';
    assert.deepEqual(await read(line, ['email', 'sms']), [
      'email consent_value_unknown',
      'sms subscribe',
    ]);
  });
});
