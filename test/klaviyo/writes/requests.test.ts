import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  importBody,
  subscribeBody,
  unsubscribeBody,
  type ProfileToSubscribe,
  type SubscribeRequest,
} from '../../../src/klaviyo/writes/requests.js';
import { KlaviyoRequestInvalidError } from '../../../src/klaviyo/index.js';

const EMAIL = 'ada@example.com';
const PHONE = '+12015550123';
const DATE = '2021-03-04T05:06:07Z';

function subscribe(
  profiles: readonly ProfileToSubscribe[],
  options: Partial<SubscribeRequest> = {},
): unknown {
  return subscribeBody({
    listId: null,
    customSource: 'run 1',
    historicalImport: false,
    profiles,
    ...options,
  });
}

const live = { consentedAt: null };
const dated = { consentedAt: DATE };

describe('the body of a subscribe', () => {
  it('spells every key as the API document does', () => {
    const profiles = [{ email: EMAIL, phoneNumber: PHONE, channels: { email: dated, sms: dated } }];
    assert.deepEqual(subscribe(profiles, { listId: 'LIST01', historicalImport: true }), {
      data: {
        type: 'profile-subscription-bulk-create-job',
        attributes: {
          custom_source: 'run 1',
          historical_import: true,
          profiles: {
            data: [
              {
                type: 'profile',
                attributes: {
                  email: EMAIL,
                  phone_number: PHONE,
                  subscriptions: {
                    email: { marketing: { consent: 'SUBSCRIBED', consented_at: DATE } },
                    sms: { marketing: { consent: 'SUBSCRIBED', consented_at: DATE } },
                  },
                },
              },
            ],
          },
        },
        relationships: { list: { data: { type: 'list', id: 'LIST01' } } },
      },
    });
  });

  it('names no list where none is given', () => {
    const body = JSON.stringify(subscribe([{ email: EMAIL, channels: { email: live } }]));
    assert.ok(!body.includes('relationships'));
  });

  it('leaves the phone number out where only e-mail is subscribed, and the other way round', () => {
    const person = { email: EMAIL, phoneNumber: PHONE };
    const byEmail = JSON.stringify(subscribe([{ ...person, channels: { email: live } }]));
    assert.ok(!byEmail.includes('phone_number') && !byEmail.includes('sms'));
    const bySms = JSON.stringify(subscribe([{ ...person, channels: { sms: live } }]));
    assert.ok(!bySms.includes('"email"'));
  });

  it('sends no consented_at in a live subscribe', () => {
    const body = JSON.stringify(subscribe([{ email: EMAIL, channels: { email: live } }]));
    assert.ok(!body.includes('consented_at'));
    assert.ok(body.includes('"historical_import":false'));
  });

  const invalid: readonly [string, ProfileToSubscribe, boolean, RegExp][] = [
    [
      'a channel without its e-mail',
      { phoneNumber: PHONE, channels: { email: live } },
      false,
      /no e-mail address/,
    ],
    [
      'a channel without its phone',
      { email: EMAIL, channels: { sms: live } },
      false,
      /no phone number/,
    ],
    ['an empty phone', { phoneNumber: '', channels: { sms: live } }, false, /no phone number/],
    ['no channel', { email: EMAIL, channels: {} }, false, /no channel/],
    [
      'a date in a live subscribe',
      { email: EMAIL, channels: { email: dated } },
      false,
      /live subscribe/,
    ],
    [
      'no date in a historical import',
      { email: EMAIL, channels: { email: live } },
      true,
      /consent date/,
    ],
    [
      'a date without an offset',
      { email: EMAIL, channels: { email: { consentedAt: '2021-03-04T05:06:07' } } },
      true,
      /offset/,
    ],
  ];
  for (const [name, profile, historicalImport, message] of invalid) {
    it(`is not made for ${name}; the error names the row and nobody`, () => {
      const fine: ProfileToSubscribe = {
        email: 'grace@example.org',
        channels: { email: historicalImport ? dated : live },
      };
      assert.throws(
        () => subscribe([fine, profile], { historicalImport }),
        (error: Error) => {
          assert.ok(error instanceof KlaviyoRequestInvalidError);
          assert.match(error.message, message);
          assert.match(error.message, /profile 1 /);
          assert.ok(!error.message.includes(EMAIL) && !error.message.includes(PHONE));
          return true;
        },
      );
    });
  }

  it('is made for 1 to 1,000 people', () => {
    const people = (count: number) =>
      Array.from({ length: count }, (_, i) => ({
        email: `p${i}@example.com`,
        channels: { email: live },
      }));
    subscribe(people(1_000));
    assert.throws(() => subscribe(people(1_001)), KlaviyoRequestInvalidError);
    assert.throws(() => subscribe([]), KlaviyoRequestInvalidError);
  });
});

describe('the body of an unsubscribe', () => {
  it('takes consent of the channels asked for, with their identifiers only', () => {
    const body = unsubscribeBody({
      listId: null,
      profiles: [
        { email: EMAIL, phoneNumber: PHONE, channels: ['email'] },
        { email: EMAIL, phoneNumber: PHONE, channels: ['sms', 'email'] },
      ],
    });
    const gone = { marketing: { consent: 'UNSUBSCRIBED' } };
    assert.deepEqual(body, {
      data: {
        type: 'profile-subscription-bulk-delete-job',
        attributes: {
          profiles: {
            data: [
              { type: 'profile', attributes: { email: EMAIL, subscriptions: { email: gone } } },
              {
                type: 'profile',
                attributes: {
                  email: EMAIL,
                  phone_number: PHONE,
                  subscriptions: { email: gone, sms: gone },
                },
              },
            ],
          },
        },
      },
    });
  });

  it('is made for 100 people at most', () => {
    const profiles = Array.from({ length: 101 }, (_, i) => ({
      email: `p${i}@example.com`,
      channels: ['email'] as const,
    }));
    unsubscribeBody({ listId: null, profiles: profiles.slice(1) });
    assert.throws(() => unsubscribeBody({ listId: null, profiles }), /1 to 100/);
  });
});

describe('the bodies of list additions', () => {
  it('imports identifiers onto the list, without consent', () => {
    const body = importBody({
      listId: 'LIST01',
      profiles: [{ email: EMAIL, phoneNumber: null }, { phoneNumber: PHONE }],
    });
    assert.deepEqual(body, {
      data: {
        type: 'profile-bulk-import-job',
        attributes: {
          profiles: {
            data: [
              { type: 'profile', attributes: { email: EMAIL } },
              { type: 'profile', attributes: { phone_number: PHONE } },
            ],
          },
        },
        relationships: { lists: { data: [{ type: 'list', id: 'LIST01' }] } },
      },
    });
    assert.throws(() => importBody({ listId: 'LIST01', profiles: [{}] }), /no identifier/);
  });
});
