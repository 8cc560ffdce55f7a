import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../../src/sandbox/index.js';
import { call, consentOf, refusal, sandboxFor, UNSUBSCRIBE } from './support.js';

const email = 'ada@shop.test';
const phone_number = '+12015550123';
const OUT = { marketing: { consent: 'UNSUBSCRIBED' } };

function unsubscribe(sandbox: Sandbox, rows: readonly object[], list?: string): Promise<Response> {
  return call(sandbox, 'POST', UNSUBSCRIBE, {
    data: {
      type: 'profile-subscription-bulk-delete-job',
      attributes: {
        profiles: { data: rows.map((attributes) => ({ type: 'profile', attributes })) },
      },
      ...(list === undefined
        ? {}
        : { relationships: { list: { data: { type: 'list', id: list } } } }),
    },
  });
}

test('applies at once, stamped now, with its suppression, and does not move updated', async (t) => {
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

test('makes a profile of a stranger', async (t) => {
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

test('takes a member off the named list, and unsubscribes everybody else globally', async (t) => {
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
];
for (const [name, rows, list, pointer] of REFUSED) {
  test(`refuses ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const { status, errors } = await refusal(await unsubscribe(sandbox, rows, list));
    assert.deepEqual([status, errors[0]![0]], [400, pointer]);
    assert.equal(sandbox.account.profiles.size, 0);
  });
}

for (const personOptOutMovesUpdated of [false, true]) {
  test(`a link and a STOP move updated: ${personOptOutMovesUpdated}`, async (t) => {
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
    const { email: mail, sms } = sandbox.account.truthFor({ email })!.subscriptions;
    assert.deepEqual(
      [mail.marketing.consent, mail.marketing.method],
      ['UNSUBSCRIBED', 'PREFERENCE_PAGE'],
    );
    assert.deepEqual([sms.marketing.consent, sms.marketing.method], ['UNSUBSCRIBED', 'TEXT']);
  });
}
