import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { intentOf } from '../../support/sources.js';
import { CLEANED, file, testCases } from './layouts.js';

describe("Mailchimp's cleaned contacts", () => {
  const bounced = {
    'Email Address': 'A@example.com',
    CONFIRM_TIME: '2020-01-01 00:00:00',
    CLEAN_TIME: '2021-03-04 05:06:07',
  };
  testCases([
    {
      name: 'are suppressed, whatever their consent was',
      columns: CLEANED,
      row: bounced,
      parts: ['suppression suppress suppressed_hard_bounce'],
    },
    {
      name: 'need no zone for dates that are not used',
      columns: CLEANED,
      row: bounced,
      options: { timezone: null },
      parts: ['suppression suppress suppressed_hard_bounce'],
    },
    {
      name: 'are refused where the address is none',
      columns: CLEANED,
      row: { ...bounced, 'Email Address': 'a' },
      parts: ['suppression email_invalid'],
    },
  ]);

  it('are refused as suppressions', async () => {
    const intent = await intentOf(file(CLEANED, {}));
    assert.deepEqual(
      intent.parts.map(({ operation, rejected }) => [operation, rejected]),
      [['suppress', 'identifier_missing']],
    );
  });

  it('are of no use to a run without e-mail', async () => {
    await assert.rejects(intentOf(file(CLEANED, bounced), { channels: ['sms'] }), {
      code: 'channel_not_in_source',
    });
  });
});
