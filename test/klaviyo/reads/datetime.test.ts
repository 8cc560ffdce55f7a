import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isDatetime } from '../../../src/klaviyo/reads/datetime.js';
import { parseJson } from '../../../src/klaviyo/json-api.js';
import { profileSchema } from '../../../src/klaviyo/profiles/profile-schema.js';

describe('a datetime of Klaviyo', () => {
  for (const text of [
    '2024-02-29T05:06:07+00:00',
    '2024-01-31T23:59:59.123456Z',
    '1990-01-01T00:00:00.000000+00:00',
  ]) {
    it(`is ${text}`, () => assert.equal(isDatetime(text), true));
  }

  for (const text of [
    '',
    'soon',
    '0000-00-00',
    '0000-00-00 00:00:00',
    '0000-01-01T00:00:00Z',
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-01-01T00:00:61Z',
    '2024-01-01T00:00:00+99:99',
    '+275760-09-13T00:00:00Z',
    '-000001-01-01T00:00:00Z',
  ]) {
    it(`is not "${text}"`, () => assert.equal(isDatetime(text), false));
  }

  it('is every one that JavaScript writes', () =>
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (date) => assert.equal(isDatetime(date.toISOString()), true),
      ),
    ));
});

describe('what PostgreSQL would refuse of an answer', () => {
  it('is a date that is none: the consent is kept, and undated', () => {
    const marketing = {
      consent: 'UNSUBSCRIBED',
      consent_timestamp: '0000-00-00',
      can_receive_email_marketing: false,
      suppression: [{ reason: 'UNSUBSCRIBE', timestamp: '2024-02-30T00:00:00Z' }],
      list_suppressions: [],
    };
    const { emailMarketing } = profileSchema.parse({
      id: 'P1',
      attributes: { email: 'a@example.com', subscriptions: { email: { marketing } } },
    });
    assert.equal(emailMarketing?.consent, 'UNSUBSCRIBED');
    assert.equal(emailMarketing.consentedAt, null);
    assert.deepEqual(emailMarketing.suppressions, [{ reason: 'UNSUBSCRIBE', timestamp: null }]);
  });

  it('is a NUL in a text', () => {
    assert.deepEqual(parseJson('{"id":"P\\u00001","tags":["\\u0000"],"n":0}')?.value, {
      id: 'P\uFFFD1',
      tags: ['\uFFFD'],
      n: 0,
    });
  });
});
