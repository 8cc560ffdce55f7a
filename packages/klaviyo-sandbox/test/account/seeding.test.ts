import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, sandboxFor } from '../support.js';

const email = 'ada@shop.test';
const at = (month: number) => `2021-0${month}-01T00:00:00Z`;
const shown = (month: number) => `2021-0${month}-01T00:00:00+00:00`;

test('seeds every channel, with its own date or the common one', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({
    email,
    phone_number: '+12015550123',
    email_consent: 'SUBSCRIBED',
    open_tracking_consent: 'UNSUBSCRIBED',
    sms_consent: 'SUBSCRIBED',
    sms_transactional_consent: 'UNSUBSCRIBED',
    whatsapp_consent: 'SUBSCRIBED',
    whatsapp_transactional_consent: 'SUBSCRIBED',
    whatsapp_conversational_consent: 'UNSUBSCRIBED',
    push_consent: 'SUBSCRIBED',
    consent_timestamp: at(1),
    sms_consent_timestamp: at(2),
    whatsapp_consent_timestamp: at(3),
    push_consent_timestamp: at(4),
    open_tracking_consent_timestamp: at(5),
    method: 'PREFERENCE_PAGE',
    method_detail: 'shop.test/signup',
    custom_method_detail: 'spring drive',
    double_optin: true,
  });
  const view = sandbox.account.truthFor({ email })!.subscriptions;
  const { marketing, transactional, conversational } = view.whatsapp!;
  assert.deepEqual(
    [
      view.email.marketing,
      view.email.open_tracking,
      view.sms.marketing,
      view.sms.transactional,
      marketing!,
      transactional!,
      conversational!,
      view.mobile_push.marketing,
    ].map((entry) => [entry.consent, entry.consent_timestamp]),
    [
      ['SUBSCRIBED', shown(1)],
      ['UNSUBSCRIBED', shown(5)],
      ['SUBSCRIBED', shown(2)],
      ['UNSUBSCRIBED', shown(2)],
      ['SUBSCRIBED', shown(3)],
      ['SUBSCRIBED', shown(3)],
      ['UNSUBSCRIBED', shown(3)],
      ['SUBSCRIBED', shown(4)],
    ],
  );
  const { method, method_detail, custom_method_detail, double_optin } = view.email.marketing;
  assert.deepEqual(
    [method, method_detail, custom_method_detail, double_optin],
    ['PREFERENCE_PAGE', 'shop.test/signup', 'spring drive', true],
  );
});

test('seeds suppressions of lists, tokens and names as reads show them', async (t) => {
  const sandbox = await sandboxFor(t);
  const details = {
    external_id: 'crm-7',
    first_name: 'Ada',
    last_name: 'Lovelace',
    organization: 'Engines',
    locale: 'en-GB',
    title: 'Countess',
    image: 'https://shop.test/ada.png',
    location: { city: 'London' },
    properties: { vip: true },
  };
  sandbox.account.seed({
    email,
    ...details,
    email_consent_timestamp: at(1),
    list_suppressions: [
      'Single',
      { list_id: 'Double', reason: 'USER_SUPPRESSED', timestamp: at(2) },
    ],
    push_tokens: [{ token: 't1', platform: 'android', vendor: 'fcm' }],
  });
  const { marketing } = sandbox.account.truthFor({ email })!.subscriptions.email;
  assert.deepEqual(marketing.list_suppressions, [
    { list_id: 'Single', reason: 'UNSUBSCRIBE', timestamp: shown(1) },
    { list_id: 'Double', reason: 'USER_SUPPRESSED', timestamp: shown(2) },
  ]);
  assert.equal(sandbox.account.profiles.withPushToken('t1'), 0);
  const { data } = await get(sandbox, `/api/profiles?filter=equals(email,"${email}")`);
  const { location, ...read } = data[0]!.attributes;
  assert.equal((location as Record<string, unknown>)['city'], 'London');
  for (const [field, value] of Object.entries(details)) {
    if (field !== 'location') assert.deepEqual(read[field], value, field);
  }
});

test('adds a second seed of one person to the first', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, first_name: 'Ada', properties: { vip: true } });
  sandbox.account.seed({ email, last_name: 'Lovelace', properties: { size: 7 } });
  assert.equal(sandbox.account.profiles.size, 1);
  const details = sandbox.account.profiles.details.get(0);
  assert.deepEqual(details, {
    first_name: 'Ada',
    last_name: 'Lovelace',
    properties: { vip: true, size: 7 },
  });
});

test('seeds somebody who is known only from an app', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ anonymous_id: 'device-7', push_consent: 'SUBSCRIBED' });
  assert.equal(sandbox.account.profiles.withAnonymousId('device-7'), 0);
});

const BAD: [name: string, seed: object, says: RegExp][] = [
  ['nobody', { email_consent: 'SUBSCRIBED' }, /needs an email, a phone_number or an anonymous_id/],
  ['an unknown field', { email, mail: 1 }, /unknown field "mail"; known are email, /],
  ['an e-mail that is null', { email: null }, /^email must be text; got null/],
  ['a wrong consent', { email, whatsapp_consent: 'YES' }, /^whatsapp_consent must be one of/],
  [
    'a date without an offset',
    { email, push_consent_timestamp: '2021-01-01' },
    /push_consent_timestamp/,
  ],
  ['properties that are text', { email, properties: 'vip' }, /^properties must be an object/],
  ['an unknown list', { email, lists: ['Nowhere'] }, /no list "Nowhere"/],
  [
    'a suppression of an unknown list',
    { email, list_suppressions: ['Nowhere'] },
    /no list "Nowhere"/,
  ],
  [
    'an unknown reason',
    { email, suppressions: ['SPAM_REPORT'] },
    /reason must be one of HARD_BOUNCE/,
  ],
  [
    'a token of an unknown platform',
    { email, push_tokens: [{ token: 't', platform: 'x', vendor: 'fcm' }] },
    /platform/,
  ],
];
for (const [name, seed, says] of BAD) {
  test(`refuses to seed ${name}, and stores nothing of it`, async (t) => {
    const sandbox = await sandboxFor(t);
    assert.throws(
      () => sandbox.account.seed(seed),
      (error) => {
        assert.ok(error instanceof RangeError);
        assert.match(error.message, says);
        return true;
      },
    );
    assert.equal(sandbox.account.profiles.size, 0);
  });
}
