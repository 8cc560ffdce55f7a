import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { Sandbox } from '../../src/index.js';
import { eventsOf, metricsOf } from '../consent/consent-support.js';
import { ask, refused } from '../control/control-support.js';
import { HOUR, row, sandboxFor, subscribe } from '../support.js';

const email = 'ada@shop.test';
const phone_number = '+12015550123';
const LONG_AGO = '2020-01-01T00:00:00Z';
const SHOWN = '2020-01-01T00:00:00+00:00';

const act = (sandbox: Sandbox, path: string, body: object) =>
  ask<object>(sandbox, 'POST', path, body);
const truthOf = (sandbox: Sandbox) => sandbox.account.truthFor({ email })!;
const mailOf = (sandbox: Sandbox) => truthOf(sandbox).subscriptions.email.marketing;
const reasonsOf = (sandbox: Sandbox) => mailOf(sandbox).suppression.map(({ reason }) => reason);
const isNow = (date: string | null | undefined) =>
  Math.abs(Date.parse(date ?? '') - Date.now()) < 60_000;

describe('somebody who subscribes through a form', () => {
  it('is subscribed at once: a new profile, consent, the list, and events', async (t) => {
    const sandbox = await sandboxFor(t);
    const body = { email, phone_number, list_id: 'Double' };
    assert.deepEqual(await act(sandbox, '/subscribe', body), {});
    const { subscriptions, lists, phone_number: phone } = truthOf(sandbox);
    for (const { consent, method, consent_timestamp } of [
      subscriptions.email.marketing,
      subscriptions.sms.marketing,
    ]) {
      assert.deepEqual([consent, method, isNow(consent_timestamp)], ['SUBSCRIBED', 'FORM', true]);
    }
    assert.deepEqual([phone, lists.map(({ id }) => id)], [phone_number, ['Double']]);
    assert.deepEqual(metricsOf(sandbox), [
      'Subscribed to Email Marketing',
      'Subscribed to List Double',
      'Subscribed to SMS Marketing',
    ]);
    assert.ok(eventsOf(sandbox).every(({ time }) => isNow(new Date(time).toISOString())));
    assert.deepEqual([...sandbox.account.messages()], [], 'without being asked to confirm');
  });

  for (const [who, consents] of [
    [{ email }, ['SUBSCRIBED', 'NEVER_SUBSCRIBED']],
    [{ phone_number }, ['NEVER_SUBSCRIBED', 'SUBSCRIBED']],
  ] as const) {
    it(`gives the consent that goes with ${Object.keys(who).join()}`, async (t) => {
      const sandbox = await sandboxFor(t);
      sandbox.account.subscribe(who);
      const { email: mail, sms } = sandbox.account.truthFor(who)!.subscriptions;
      assert.deepEqual([mail.marketing.consent, sms.marketing.consent], consents);
      assert.deepEqual(sandbox.account.truthFor(who)!.lists, []);
    });
  }

  it('loses the suppressions that a subscribe removes, and comes back to the list', async (t) => {
    const sandbox = await sandboxFor(t);
    const reasons = ['HARD_BOUNCE', 'SPAM_COMPLAINT', 'USER_SUPPRESSED'] as const;
    const past = { suppressions: [...reasons], consent_timestamp: LONG_AGO };
    const more = { email_consent: 'UNSUBSCRIBED', list_suppressions: ['Single'] } as const;
    sandbox.account.seed({ email, ...past, ...more, list_suppressions: ['Single'] });
    assert.equal(reasonsOf(sandbox).length, 4);
    await act(sandbox, '/subscribe', { email, list_id: 'Single' });
    assert.deepEqual(reasonsOf(sandbox), ['HARD_BOUNCE']);
    assert.deepEqual(mailOf(sandbox).list_suppressions, []);
    assert.equal(mailOf(sandbox).consent, 'SUBSCRIBED');
  });

  it('does not change if they were already subscribed', async (t) => {
    const sandbox = await sandboxFor(t);
    sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', consent_timestamp: LONG_AGO });
    await act(sandbox, '/subscribe', { email });
    const { consent_timestamp, method } = mailOf(sandbox);
    assert.deepEqual([consent_timestamp, method, metricsOf(sandbox)], [SHOWN, 'API', []]);
  });

  it('changes each of several profiles if the switch says so', async (t) => {
    const sandbox = await sandboxFor(t, { switches: { sameIdentifier: 'all' } });
    sandbox.account.seed({ email });
    sandbox.account.seed({ email, separate_profile: true });
    sandbox.account.subscribe({ email, list_id: 'Single' });
    const found = sandbox.account.truthsFor({ email });
    assert.deepEqual(
      found.map(({ subscriptions, lists }) => [
        subscriptions.email.marketing.consent,
        lists.length,
      ]),
      [
        ['SUBSCRIBED', 1],
        ['SUBSCRIBED', 1],
      ],
    );
  });
});

test('somebody who marks a mail as spam is suppressed, with an event', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', consent_timestamp: LONG_AGO });
  assert.deepEqual(await act(sandbox, '/complain', { email }), {});
  const { consent, suppression, can_receive_email_marketing } = mailOf(sandbox);
  assert.deepEqual([consent, can_receive_email_marketing], ['SUBSCRIBED', false]);
  assert.equal(suppression[0]!.reason, 'SPAM_COMPLAINT');
  assert.ok(isNow(suppression[0]!.timestamp));
  assert.deepEqual(metricsOf(sandbox), ['Marked Email as Spam']);
  assert.deepEqual(await act(sandbox, '/complain', { email }), {});
  assert.equal(metricsOf(sandbox).length, 1, 'once');
  await subscribe(sandbox, [row({ email })], { list: 'Single' });
  sandbox.account.advance(HOUR);
  assert.deepEqual(reasonsOf(sandbox), [], 'which a subscribe removes');
});

test('somebody who leaves one list keeps their consent and the other lists', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', lists: ['Single', 'Double'] });
  assert.deepEqual(await act(sandbox, '/unsubscribe', { email, list_id: 'Single' }), {});
  const { lists, subscriptions } = truthOf(sandbox);
  const { consent, suppression, list_suppressions } = subscriptions.email.marketing;
  assert.deepEqual(
    lists.map(({ id }) => id),
    ['Double'],
  );
  assert.deepEqual([consent, suppression], ['SUBSCRIBED', []]);
  const [left, ...others] = list_suppressions;
  assert.deepEqual([left?.list_id, left?.reason, others], ['Single', 'UNSUBSCRIBE', []]);
  assert.ok(isNow(left?.timestamp));
  assert.deepEqual(metricsOf(sandbox), ['Unsubscribed from List Single']);
});

describe('an operator', () => {
  it('suppresses somebody by hand, at once and without an event', async (t) => {
    const sandbox = await sandboxFor(t);
    sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
    assert.deepEqual(await act(sandbox, '/suppress', { email }), {});
    assert.deepEqual(reasonsOf(sandbox), ['USER_SUPPRESSED']);
    assert.ok(isNow(mailOf(sandbox).suppression[0]!.timestamp));
    assert.equal(mailOf(sandbox).consent, 'SUBSCRIBED');
    assert.deepEqual(metricsOf(sandbox), []);
  });

  it('suppresses by hand with a delay, dated when it was done', async (t) => {
    const sandbox = await sandboxFor(t);
    sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
    const before = Date.now();
    await act(sandbox, '/suppress', { email, surfaces_after_ms: HOUR });
    const asked = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 30));
    sandbox.account.advance(0.9 * HOUR);
    assert.deepEqual(reasonsOf(sandbox), []);
    sandbox.account.advance(0.2 * HOUR);
    assert.deepEqual(reasonsOf(sandbox), ['USER_SUPPRESSED']);
    const date = Date.parse(mailOf(sandbox).suppression[0]!.timestamp);
    assert.ok(date >= before && date <= asked, `${date - before} ms after the act`);
  });

  it('has no effect if the profile is deleted in the meantime', async (t) => {
    const sandbox = await sandboxFor(t);
    sandbox.account.seed({ email });
    sandbox.account.suppress({ email, surfaces_after_ms: HOUR });
    sandbox.account.profiles.remove(0);
    sandbox.account.advance(2 * HOUR);
    assert.equal(sandbox.account.truthFor({ email }), undefined);
  });

  it('removes suppressions by hand and nothing else', async (t) => {
    const sandbox = await sandboxFor(t);
    sandbox.account.seed({ email, suppressions: ['HARD_BOUNCE', 'USER_SUPPRESSED'] });
    assert.deepEqual(await act(sandbox, '/unsuppress', { email }), {});
    assert.deepEqual(reasonsOf(sandbox), ['HARD_BOUNCE']);
    assert.match(
      await refused(sandbox, 'POST', '/unsuppress', { email }),
      /ada@shop\.test is not suppressed by hand/,
    );
  });
});

for (const moves of [false, true]) {
  const switches = { personOptOutMovesUpdated: moves, suppressionMovesUpdated: moves };
  const acts: [string, object][] = [
    ['/complain', { email }],
    ['/suppress', { email }],
    ['/suppress', { email, surfaces_after_ms: 1 }],
    ['/unsuppress', { email }],
    ['/unsubscribe', { email, list_id: 'Single' }],
    ['/unsubscribe', { email }],
  ];
  for (const [path, body] of acts) {
    test(`${path} ${JSON.stringify(body)} changes updated: ${moves}`, async (t) => {
      const sandbox = await sandboxFor(t, { switches });
      const suppressions = path === '/unsuppress' ? (['USER_SUPPRESSED'] as const) : [];
      const past = { created: LONG_AGO, lists: ['Single'], suppressions: [...suppressions] };
      sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', ...past });
      await act(sandbox, path, body);
      sandbox.account.advance(HOUR);
      assert.equal(truthOf(sandbox).updated !== SHOWN, moves);
    });
  }
}

const NOBODY = { email: 'nobody@shop.test' };
const BAD: [string, object, RegExp][] = [
  ['/complain', NOBODY, /no profile has the email nobody@shop\.test/],
  ['/complain', {}, /email is missing/],
  ['/complain', { email: 5 }, /email must be text; got 5/],
  ['/complain', { email, list_id: 'Single' }, /no "list_id" here; known are email/],
  ['/subscribe', {}, /needs an email or a phone_number/],
  ['/subscribe', { email: 'ada' }, /email must be an address such as ada@shop\.test; got "ada"/],
  ['/subscribe', { phone_number: '12' }, /phone_number must be a number that gets texts.*got "12"/],
  ['/subscribe', { phone_number: '+491713920099' }, /no active sender for texts to DE/],
  ['/subscribe', { email: 'bea@shop.test', list_id: 'None' }, /there is no list "None"/],
  ['/unsubscribe', { email, list_id: 'None' }, /there is no list "None"/],
  ['/unsubscribe', { email, list_id: 'Double' }, /ada@shop\.test is not on the list "Double"/],
  ['/unsubscribe', { ...NOBODY, list_id: 'Single' }, /no profile has the email nobody/],
  ['/suppress', NOBODY, /no profile has the email nobody@shop\.test/],
  [
    '/suppress',
    { email, surfaces_after_ms: -1 },
    /surfaces_after_ms must be a number from 0, got -1/,
  ],
  ['/suppress', { email, surfaces_after_ms: '1h' }, /surfaces_after_ms must be .* got 1h/],
  ['/unsuppress', { email }, /ada@shop\.test is not suppressed by hand/],
  ['/unsuppress', NOBODY, /no profile has the email nobody@shop\.test/],
];
for (const [path, body, words] of BAD) {
  test(`refuses ${path} ${JSON.stringify(body)} and changes nothing`, async (t) => {
    const sandbox = await sandboxFor(t);
    sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', lists: ['Single'] });
    const before = [...sandbox.account.truth()];
    assert.match(await refused(sandbox, 'POST', path, body), words);
    assert.deepEqual([...sandbox.account.truth()], before);
  });
}
