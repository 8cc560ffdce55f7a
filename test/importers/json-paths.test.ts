import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMapping } from '../../src/importers/mapping/mapping-file.js';
import { readSample } from '../../src/importers/sample.js';
import { inShort, intentOf, intentsOf, withFile } from '../support/sources.js';

/** As BigQuery exports a table with a record for consent. */
const ofEmail = `email: contact.email
channels:
  email:
    consent: {column: consent.email.status, subscribed: [granted], unsubscribed: [withdrawn]}`;
const mapping = parseMapping(ofEmail, 'm.yaml');
const dated = parseMapping(`${ofEmail}\n    date: {column: consent.email.at}`, 'm.yaml');
const withTexts = parseMapping(
  `phone: contact.phone\n${ofEmail}\n  sms: {consent: {column: consent.sms.status, subscribed: [granted]}}`,
  'm.yaml',
);
const options = { mapping, undated: 'subscribe' } as const;

const row = (email: object | null, contact: object = { email: 'ada@example.com' }) =>
  JSON.stringify({ contact, tags: ['a', 'b'], history: [{ status: 'x' }], consent: { email } });

describe('JSON lines with values within objects', () => {
  it('are read by the path of their keys', async () => {
    const lines = [
      row({ status: 'granted', at: '2021-03-04 05:06:07 UTC' }),
      row({ status: 'withdrawn' }, { email: 'bob@example.com' }),
      row(null, { email: 'eve@example.com' }),
      row({ status: 'perhaps' }, { email: 'kim@example.com' }),
      '{"contact.email":"lou@example.com","consent.email.status":"granted"}',
    ].join('\n');
    assert.deepEqual((await intentsOf(lines, { ...options, mapping: dated })).map(inShort), [
      ['email subscribe 2021-03-04T05:06:07Z'],
      ['email unsubscribe'],
      ['email nothing_asked'],
      ['email consent_value_unknown'],
      ['email subscribe'],
    ]);
  });

  it('are a contradiction where one path has two values', async () => {
    for (const line of [
      '{"contact":{"email":"a@example.com"},"consent":{"email":{"status":"withdrawn","status":"granted"}}}',
      '{"contact":{"email":"a@example.com"},"consent":{"email":{"status":"withdrawn"}},"consent":{"email":{"status":"granted"}}}',
      '{"contact":{"email":"a@example.com"},"consent.email.status":"withdrawn","consent":{"email":{"status":"granted"}}}',
      '{"contact":{"email":"a@example.com"},"consent":{"email.status":"withdrawn","email":{"status":"granted"}}}',
    ]) {
      assert.deepEqual(
        inShort(await intentOf(line, options)),
        ['email consent_value_unknown'],
        line,
      );
    }
  });

  it('are no contradiction where two objects have one key', async () => {
    const line =
      '{"contact":{"email":"a@example.com","status":"x"},"consent":{"email":{"status":"granted"},"sms":{"status":""}}}';
    assert.deepEqual(inShort(await intentOf(line, options)), ['email subscribe']);
  });

  it('keep the number that lost its digits apart from one that has them', async () => {
    const read = async (phone: string) =>
      inShort(
        await intentOf(
          `{"contact":{"email":"a@example.com","phone":${phone}},"other":{"phone":1.2E+10},"text":"\\"phone\\":9E9","consent":{"sms":{"status":"granted"},"email":{"status":null}}}`,
          { ...options, mapping: withTexts, channels: ['email', 'sms'], country: 'US' },
        ),
      );
    assert.deepEqual(await read('12015550123'), ['sms subscribe']);
    assert.deepEqual(await read('1.201555E+10'), ['sms phone_scientific_notation']);
  });

  it('leave lists out where nobody reads them, and refuse them where somebody does', async () => {
    const listed = parseMapping(
      'email: contact.email\nchannels: {email: {consent: {column: tags, subscribed: [a]}}}',
      'm.yaml',
    );
    const lines = row({ status: 'granted' });
    await assert.rejects(intentsOf(lines, { mapping: listed }), {
      code: 'json_nested',
      line: 1,
      column: 'tags',
    });
    await withFile(lines, async (file) => {
      const { columns } = await readSample(file);
      assert.deepEqual(columns, ['contact.email', 'consent.email.status']);
    });
  });

  it('take an empty list for a blank', async () => {
    const line =
      '{"contact":{"email":"a@example.com","phone":[]},"consent":{"email":{"status":"granted"}},"x":{}}';
    assert.deepEqual(inShort(await intentOf(line, options)), ['email subscribe']);
  });

  it('end in linear time, however deep they are', async () => {
    const lists = '['.repeat(200_000) + ']'.repeat(200_000);
    const line = `{"contact":{"email":"a@example.com"},"consent":{"email":{"status":"granted"}},"x":${lists}}`;
    assert.deepEqual(inShort(await intentOf(line, options)), ['email subscribe']);
    const wide = `{"x":{"${'k'.repeat(2_000)}":1}}`;
    await assert.rejects(intentsOf(wide, options), { code: 'json_nested' });
  });
});
