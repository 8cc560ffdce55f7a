import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { intentOf } from '../../support/sources.js';
import { AT, file, SHOPIFY, SHOPIFY_OLD, testCases, type Options, type Row } from './layouts.js';

describe("Shopify's customers", () => {
  const customer: Row = {
    'Customer ID': "'6543210987654",
    Email: 'A@example.com',
    'Accepts Email Marketing': 'yes',
    'Accepts SMS Marketing': 'yes',
    'Accepts WhatsApp Marketing': 'yes',
    'Default Address Country Code': 'US',
    'Default Address Phone': '(201) 555-0199',
    Phone: "'+12015550123",
  };
  const old: Row = {
    Email: 'a@example.com',
    'Accepts Marketing': 'yes',
    Phone: '0491 570 006',
    'Country Code': 'AU',
  };
  const live: Options = { undated: 'subscribe' };
  const dated: Options = { consentedAt: '2021-03-04' };
  const all: Options = { ...live, channels: ['email', 'sms', 'whatsapp'] };
  testCases([
    {
      name: 'are subscribed live',
      columns: SHOPIFY,
      row: customer,
      options: live,
      parts: ['email subscribe'],
    },
    {
      name: 'are subscribed with the date that the operator attests',
      columns: SHOPIFY,
      row: customer,
      options: dated,
      parts: [`email subscribe ${AT} date_attested`],
    },
    {
      name: 'are subscribed to each channel that says yes',
      columns: SHOPIFY,
      row: customer,
      options: all,
      parts: ['email subscribe', 'sms subscribe', 'whatsapp subscribe'],
    },
    {
      name: 'did not opt out by "no"',
      columns: SHOPIFY,
      row: { ...customer, 'Accepts Email Marketing': 'no', 'Accepts SMS Marketing': 'no' },
      options: all,
      parts: ['whatsapp subscribe'],
    },
    {
      name: 'asked nothing by "no" everywhere',
      columns: SHOPIFY,
      row: { ...customer, 'Accepts Email Marketing': 'no' },
      options: live,
      parts: ['email nothing_asked'],
    },
    {
      name: 'gave no consent for the phone of their address',
      columns: SHOPIFY,
      row: { ...customer, Phone: '' },
      options: { ...live, channels: ['sms'] },
      parts: ['sms phone_missing'],
    },
    {
      name: 'are read from exports of old, without a column for SMS',
      columns: SHOPIFY_OLD,
      row: old,
      options: live,
      parts: ['email subscribe'],
    },
  ]);

  it('have the number behind the mark, of the country of their address', async () => {
    const intent = await intentOf(file(SHOPIFY, { ...customer, Phone: "'2015550123" }), all);
    assert.deepEqual([intent.phoneNumber, intent.country], ['+12015550123', 'US']);
  });

  const refused: [string, readonly string[], Options, string][] = [
    ['without dates in a run that needs them', SHOPIFY, {}, 'consent_dates_missing'],
    [
      'for SMS in an export without it',
      SHOPIFY_OLD,
      { ...live, channels: ['sms'] },
      'consent_column_missing',
    ],
    [
      'for push, which Shopify does not have',
      SHOPIFY,
      { ...live, channels: ['push'] },
      'channel_not_in_source',
    ],
  ];
  for (const [name, columns, options, code] of refused) {
    it(`are refused ${name}`, async () => {
      await assert.rejects(intentOf(file(columns, customer), options), { code });
    });
  }
});
