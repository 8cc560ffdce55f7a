import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IN, profile, unsubscribe } from './consent-support.js';
import { call, consentOf, HOUR, refusal, sandboxFor, subscribe, UNSUBSCRIBE } from '../support.js';

const email = 'ada@shop.test';
const phone_number = '+12015550123';
const OUT = { marketing: { consent: 'UNSUBSCRIBED' } };

test('applies at once, dated now, with its suppression, and does not change updated', async (t) => {
  const sandbox = await sandboxFor(t);
  const created = '2020-01-01T00:00:00Z';
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', created, lists: ['Single'] });
  const before = Date.now();
  const response = await unsubscribe(sandbox, [{ email, subscriptions: { email: OUT } }]);
  assert.equal(response.status, 202);
  assert.equal(await response.text(), '');
  const truth = sandbox.account.truthFor({ email })!;
  const { marketing } = truth.subscriptions.email;
  assert.equal(marketing.consent, 'UNSUBSCRIBED');
  assert.equal(marketing.can_receive_email_marketing, false);
  assert.equal(marketing.suppression[0]?.reason, 'UNSUBSCRIBE');
  assert.ok(Date.parse(marketing.suppression[0].timestamp) >= before);
  assert.equal(truth.updated, '2020-01-01T00:00:00+00:00');
});

test('creates a profile for an unknown address', async (t) => {
  const sandbox = await sandboxFor(t);
  await unsubscribe(sandbox, [{ email, subscriptions: { email: OUT } }]);
  assert.equal(consentOf(sandbox, email)?.email, 'UNSUBSCRIBED');
});

test('opting out of marketing texts opts out of transactional ones', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({
    phone_number,
    sms_consent: 'SUBSCRIBED',
    sms_transactional_consent: 'SUBSCRIBED',
  });
  await unsubscribe(sandbox, [{ phone_number, subscriptions: { sms: OUT } }]);
  const { sms } = sandbox.account.truthFor({ phone_number })!.subscriptions;
  assert.deepEqual(
    [sms.marketing.consent, sms.transactional.consent],
    ['UNSUBSCRIBED', 'UNSUBSCRIBED'],
  );
});

test('removes a member from the named list, and unsubscribes everybody else globally', async (t) => {
  const sandbox = await sandboxFor(t);
  const other = 'bea@shop.test';
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', lists: ['Single'] });
  sandbox.account.seed({ email: other, email_consent: 'SUBSCRIBED', lists: ['Double'] });
  const subscriptions = { email: OUT };
  await unsubscribe(
    sandbox,
    [
      { email, subscriptions },
      { email: other, subscriptions },
    ],
    'Single',
  );
  const member = sandbox.account.truthFor({ email })!;
  assert.deepEqual(member.lists, []);
  assert.equal(member.subscriptions.email.marketing.consent, 'SUBSCRIBED');
  assert.equal(member.subscriptions.email.marketing.list_suppressions[0]?.list_id, 'Single');
  assert.equal(consentOf(sandbox, other)?.email, 'UNSUBSCRIBED');
});

test('unsubscribes an unknown address globally although a list is named', async (t) => {
  const sandbox = await sandboxFor(t);
  await unsubscribe(sandbox, [{ email, subscriptions: { email: OUT } }], 'Single');
  const truth = sandbox.account.truthFor({ email })!;
  assert.equal(truth.subscriptions.email.marketing.consent, 'UNSUBSCRIBED');
  assert.deepEqual(truth.subscriptions.email.marketing.list_suppressions, []);
});

test('removes the suppression for a list when the person subscribes to it again', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', lists: ['Single'] });
  await unsubscribe(sandbox, [{ email, subscriptions: { email: OUT } }], 'Single');
  const rows = [profile({ email, subscriptions: { email: { marketing: IN } } })];
  await subscribe(sandbox, rows, { list: 'Single' });
  sandbox.account.advance(HOUR);
  const truth = sandbox.account.truthFor({ email })!;
  assert.deepEqual(truth.subscriptions.email.marketing.list_suppressions, []);
  assert.deepEqual(
    truth.lists.map(({ id }) => id),
    ['Single'],
  );
});

test('removes consent per channel, and records the method', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({
    email,
    phone_number,
    email_consent: 'SUBSCRIBED',
    open_tracking_consent: 'SUBSCRIBED',
    sms_consent: 'SUBSCRIBED',
    whatsapp_consent: 'SUBSCRIBED',
    whatsapp_transactional_consent: 'SUBSCRIBED',
    whatsapp_conversational_consent: 'SUBSCRIBED',
  });
  const out = { consent: 'UNSUBSCRIBED' };
  const subscriptions = {
    email: { open_tracking: out },
    whatsapp: { marketing: out, conversational: out },
  };
  assert.equal((await unsubscribe(sandbox, [{ email, phone_number, subscriptions }])).status, 202);
  const view = sandbox.account.truthFor({ email })!.subscriptions;
  assert.equal(view.email.marketing.consent, 'SUBSCRIBED');
  assert.deepEqual(view.email.marketing.suppression, []);
  assert.deepEqual(
    [view.email.open_tracking.consent, view.email.open_tracking.can_receive],
    ['UNSUBSCRIBED', false],
  );
  assert.equal(view.sms.marketing.consent, 'SUBSCRIBED');
  const { marketing, transactional, conversational } = view.whatsapp!;
  assert.deepEqual(
    [marketing, transactional, conversational].map((entry) => entry!.consent),
    ['UNSUBSCRIBED', 'SUBSCRIBED', 'UNSUBSCRIBED'],
  );
  await unsubscribe(sandbox, [{ email, subscriptions: { email: OUT } }]);
  const { method, method_detail } = sandbox.account.truthFor({ email })!.subscriptions.email
    .marketing;
  assert.deepEqual([method, method_detail], ['API', null]);
});

test('opting out of transactional texts opts out of marketing ones', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ phone_number, sms_consent: 'SUBSCRIBED' });
  const subscriptions = { sms: { transactional: { consent: 'UNSUBSCRIBED' } } };
  await unsubscribe(sandbox, [{ phone_number, subscriptions }]);
  const { sms } = sandbox.account.truthFor({ phone_number })!.subscriptions;
  assert.deepEqual(
    [sms.marketing.consent, sms.transactional.consent],
    ['UNSUBSCRIBED', 'UNSUBSCRIBED'],
  );
});

const token = (text: string) => ({ token: text, platform: 'ios', vendor: 'apns' }) as const;

test('an opt-out from push removes only the tokens that it names', async (t) => {
  const sandbox = await sandboxFor(t);
  const push_tokens = [token('t1'), token('t2')];
  sandbox.account.seed({ email, push_consent: 'SUBSCRIBED', push_tokens });
  const push = { ...OUT, tokens: [token('t1'), token('unknown')] };
  assert.equal((await unsubscribe(sandbox, [{ email, subscriptions: { push } }])).status, 202);
  const { mobile_push } = sandbox.account.truthFor({ email })!.subscriptions;
  assert.equal(mobile_push.marketing.consent, 'UNSUBSCRIBED');
  const left = sandbox.account.profiles.pushTokens.of(0).map(({ token: text }) => text);
  assert.deepEqual(left, ['t2']);
});

test('a token alone names the profile that has it; an unknown one creates no profile', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, push_consent: 'SUBSCRIBED', push_tokens: [token('t1')] });
  for (const text of ['t1', 'unknown']) {
    const push = { ...OUT, tokens: [token(text)] };
    assert.equal((await unsubscribe(sandbox, [{ subscriptions: { push } }])).status, 202);
  }
  assert.equal(sandbox.account.profiles.size, 1);
  const { mobile_push } = sandbox.account.truthFor({ email })!.subscriptions;
  assert.equal(mobile_push.marketing.consent, 'UNSUBSCRIBED');
});

const REFUSED: [string, object[], string | undefined, string][] = [
  [
    '101 rows',
    Array(101).fill({ email, subscriptions: { email: OUT } }),
    undefined,
    '/data/attributes/profiles/data',
  ],
  [
    'an unknown list',
    [{ email, subscriptions: { email: OUT } }],
    'Nowhere',
    '/data/relationships/list/data/id',
  ],
  [
    'no subscriptions',
    [{ email }],
    undefined,
    '/data/attributes/profiles/data/0/attributes/subscriptions',
  ],
  [
    'a malformed phone',
    [{ phone_number: '12', subscriptions: { sms: OUT } }],
    undefined,
    '/data/attributes/profiles/data/0/attributes/phone_number',
  ],
  [
    'consent instead of its withdrawal',
    [{ email, subscriptions: { email: { marketing: { consent: 'SUBSCRIBED' } } } }],
    undefined,
    '/data/attributes/profiles/data/0/attributes/subscriptions/email/marketing/consent',
  ],
  ['no rows', [], undefined, '/data/attributes/profiles/data'],
  [
    'a date, as opt-outs are always as of now',
    [
      {
        email,
        subscriptions: {
          email: { marketing: { consent: 'UNSUBSCRIBED', consented_at: '2021-03-04T05:06:07Z' } },
        },
      },
    ],
    undefined,
    '/data/attributes/profiles/data/0/attributes/subscriptions/email/marketing/consented_at',
  ],
  [
    'an attribute of subscribing',
    [{ email, age_gated_date_of_birth: '2000-01-01', subscriptions: { email: OUT } }],
    undefined,
    '/data/attributes/profiles/data/0/attributes/age_gated_date_of_birth',
  ],
  [
    'push without tokens',
    [{ email, subscriptions: { push: OUT } }],
    undefined,
    '/data/attributes/profiles/data/0/attributes/subscriptions/push/tokens',
  ],
  [
    'an anonymous id',
    [{ subscriptions: { push: { ...OUT, tokens: [], anonymous_id: 'device-7' } } }],
    undefined,
    '/data/attributes/profiles/data/0/attributes/subscriptions/push/anonymous_id',
  ],
  [
    'push from nobody',
    [{ subscriptions: { push: { ...OUT, tokens: [] } } }],
    undefined,
    '/data/attributes/profiles/data/0/attributes/email',
  ],
];
for (const [name, rows, list, pointer] of REFUSED) {
  test(`refuses ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const { status, errors } = await refusal(await unsubscribe(sandbox, rows, list));
    assert.deepEqual([status, errors[0]![0]], [400, pointer]);
    assert.equal(sandbox.account.profiles.size, 0);
  });
}

test('accepts neither historical_import nor a source', async (t) => {
  const sandbox = await sandboxFor(t);
  const rows = [profile({ email, subscriptions: { email: OUT } })];
  for (const [field, value] of Object.entries({ historical_import: true, custom_source: 'x' })) {
    const attributes = { profiles: { data: rows }, [field]: value };
    const response = await call(sandbox, 'POST', UNSUBSCRIBE, {
      data: { type: 'profile-subscription-bulk-delete-job', attributes },
    });
    const { status, errors } = await refusal(response);
    assert.deepEqual([status, errors[0]![0]], [400, `/data/attributes/${field}`]);
  }
});

for (const personOptOutMovesUpdated of [false, true]) {
  test(`a link and a STOP change updated: ${personOptOutMovesUpdated}`, async (t) => {
    const sandbox = await sandboxFor(t, { switches: { personOptOutMovesUpdated } });
    sandbox.account.seed({
      email,
      phone_number,
      email_consent: 'SUBSCRIBED',
      sms_consent: 'SUBSCRIBED',
      created: '2020-01-01T00:00:00Z',
    });
    const moved = () => sandbox.account.truthFor({ email })!.updated > '2020-01-02';
    sandbox.account.unsubscribe({ email });
    assert.equal(moved(), personOptOutMovesUpdated);
    sandbox.account.stopSms({ phone_number });
    assert.equal(moved(), personOptOutMovesUpdated);
    assert.throws(() => sandbox.account.stopSms({ phone_number: '+12025550143' }), RangeError);
    const { email: mail, sms } = sandbox.account.truthFor({ email })!.subscriptions;
    assert.deepEqual(
      [mail.marketing.consent, mail.marketing.method],
      ['UNSUBSCRIBED', 'PREFERENCE_PAGE'],
    );
    assert.deepEqual([sms.marketing.consent, sms.marketing.method], ['UNSUBSCRIBED', 'TEXT']);
  });
}
