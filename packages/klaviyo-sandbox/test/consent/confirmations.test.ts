import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IN, profile } from './consent-support.js';
import { consentOf, HOUR, row, sandboxFor, subscribe } from '../support.js';

const email = 'ada@shop.test';
const phone_number = '+12015550123';
const MINUTE = 60_000;

test('asks on a double opt-in list and changes nothing until the click', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.equal((await subscribe(sandbox, [row({ email })], { list: 'Double' })).status, 202);
  sandbox.account.advance(24 * HOUR);
  assert.equal(sandbox.account.profiles.size, 0);
  const [message, ...others] = [...sandbox.account.messages()];
  assert.deepEqual(others, []);
  assert.deepEqual(
    { ...message, sent_at: '' },
    { channel: 'email', to: email, list_id: 'Double', sent_at: '', count: 1, clicked_at: null },
  );

  assert.equal(sandbox.account.click({ email }), 1);
  sandbox.account.advance(MINUTE);
  const truth = sandbox.account.truthFor({ email })!;
  assert.equal(truth.subscriptions.email.marketing.consent, 'SUBSCRIBED');
  assert.equal(truth.subscriptions.email.marketing.double_optin, true);
  assert.deepEqual(
    truth.lists.map(({ id }) => id),
    ['Double'],
  );
  assert.notEqual([...sandbox.account.messages()][0]?.clicked_at, null);
  assert.equal(sandbox.account.click({ email }), 0, 'nothing is open any more');
});

for (const [defaultOptIn, messages] of [
  ['double_opt_in', 1],
  ['single_opt_in', 0],
] as const) {
  test(`without a list the account's default decides: ${defaultOptIn}`, async (t) => {
    const sandbox = await sandboxFor(t, { account: { defaultOptIn } });
    await subscribe(sandbox, [row({ email })]);
    sandbox.account.advance(HOUR);
    assert.equal([...sandbox.account.messages()].length, messages);
    assert.equal(consentOf(sandbox, email)?.email, messages === 0 ? 'SUBSCRIBED' : undefined);
  });
}

test('asks by mail and by text, and each answer confirms its own channel', async (t) => {
  const sandbox = await sandboxFor(t);
  await subscribe(sandbox, [row({ email, phone_number }, ['email', 'sms'])], { list: 'Double' });
  sandbox.account.advance(HOUR);
  const channels = [...sandbox.account.messages()].map(({ channel, to }) => [channel, to]);
  assert.deepEqual(channels, [
    ['email', email],
    ['sms', phone_number],
  ]);
  sandbox.account.click({ email });
  sandbox.account.advance(MINUTE);
  assert.deepEqual(consentOf(sandbox, email), {
    email: 'SUBSCRIBED',
    sms: 'NEVER_SUBSCRIBED',
    lists: ['Double'],
  });
  sandbox.account.click({ phone_number });
  sandbox.account.advance(MINUTE);
  assert.equal(consentOf(sandbox, email)?.sms, 'SUBSCRIBED');
});

test('a share of the people clicks by themselves: the same people whatever the order', async (t) => {
  const emails = Array.from({ length: 400 }, (_, i) => `p${i}@shop.test`);
  const clickers = async (addresses: string[]) => {
    const sandbox = await sandboxFor(t, { clicks: { share: 0.25, delayMs: [1_000, 60_000] } });
    await subscribe(
      sandbox,
      addresses.map((address) => row({ email: address })),
      { list: 'Double' },
    );
    sandbox.account.advance(HOUR);
    return new Set([...sandbox.account.truth()].map((line) => line.email));
  };
  const first = await clickers(emails);
  assert.ok(first.size > 70 && first.size < 130, `${first.size} of 400 clicked`);
  assert.deepEqual(await clickers(emails.toReversed()), first);
});

test('texts have their own share', async (t) => {
  const clicks = { share: 1, smsShare: 0, delayMs: [1_000, 2_000] as [number, number] };
  const sandbox = await sandboxFor(t, { clicks });
  await subscribe(sandbox, [row({ email, phone_number }, ['email', 'sms'])], { list: 'Double' });
  sandbox.account.advance(HOUR);
  const answered = [...sandbox.account.messages()].map((line) => line.clicked_at !== null);
  assert.deepEqual(answered, [true, false]);
});

test('stops the clicks, and lets waiting people click later', async (t) => {
  const sandbox = await sandboxFor(t, { clicks: { share: 1, delayMs: [60_000, 60_000] } });
  await subscribe(sandbox, [row({ email })], { list: 'Double' });
  sandbox.account.advance(31_000);
  sandbox.account.setClicks(0);
  sandbox.account.advance(HOUR);
  assert.equal(consentOf(sandbox, email), undefined);
  sandbox.account.setClicks(1);
  sandbox.account.advance(HOUR);
  assert.equal(consentOf(sandbox, email)?.email, 'SUBSCRIBED');
});

test('nobody answers a branded sender id by themselves', async (t) => {
  const sandbox = await sandboxFor(t, {
    sms: { status: 'active', senders: [{ country: 'US', type: 'alpha', status: 'active' }] },
    clicks: { share: 1, delayMs: [1_000, 2_000] },
  });
  await subscribe(sandbox, [row({ phone_number }, ['sms'])], { list: 'Double' });
  sandbox.account.advance(HOUR);
  assert.deepEqual(
    [...sandbox.account.messages()].map((line) => line.clicked_at),
    [null],
  );
});

for (const repeatDoubleOptInMessage of [true, false]) {
  test(`repeats the message when the call, not the row, is repeated: ${repeatDoubleOptInMessage}`, async (t) => {
    const sandbox = await sandboxFor(t, { switches: { repeatDoubleOptInMessage } });
    for (let i = 0; i < 3; i++) {
      await subscribe(sandbox, [row({ email }), row({ email })], { list: 'Double' });
      sandbox.account.advance(HOUR);
    }
    const [message] = [...sandbox.account.messages()];
    assert.equal(message?.count, repeatDoubleOptInMessage ? 3 : 1);
  });
}

test('does not ask people who are subscribed and on the list', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', lists: ['Double'] });
  await subscribe(sandbox, [row({ email })], { list: 'Double' });
  sandbox.account.advance(HOUR);
  assert.deepEqual([...sandbox.account.messages()], []);
});

for (const subscribedOnDoubleOptIn of ['messaged', 'joins'] as const) {
  test(`somebody subscribed who is not on the list: ${subscribedOnDoubleOptIn}`, async (t) => {
    const sandbox = await sandboxFor(t, { switches: { subscribedOnDoubleOptIn } });
    sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
    await subscribe(sandbox, [row({ email })], { list: 'Double' });
    sandbox.account.advance(HOUR);
    const joins = subscribedOnDoubleOptIn === 'joins';
    assert.equal([...sandbox.account.messages()].length, joins ? 0 : 1);
    assert.deepEqual(consentOf(sandbox, email)?.lists, joins ? ['Double'] : []);
  });
}

test('an opted-out person who is asked stays opted out until the click', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, email_consent: 'UNSUBSCRIBED' });
  await subscribe(sandbox, [row({ email })], { list: 'Double' });
  sandbox.account.advance(HOUR);
  assert.equal(consentOf(sandbox, email)?.email, 'UNSUBSCRIBED');
  sandbox.account.click({ email, list_id: 'Double' });
  sandbox.account.advance(MINUTE);
  assert.equal(consentOf(sandbox, email)?.email, 'SUBSCRIBED');
});

test('push and WhatsApp need no message, and joining the list waits for a pending click', async (t) => {
  const sandbox = await sandboxFor(t);
  const beside = { push: { marketing: IN }, whatsapp: { marketing: IN } };
  const rows = [
    profile({ email, phone_number, subscriptions: { email: { marketing: IN }, ...beside } }),
    profile({ email: 'bea@shop.test', subscriptions: { push: { marketing: IN } } }),
  ];
  await subscribe(sandbox, rows, { list: 'Double' });
  sandbox.account.advance(HOUR);
  const ada = sandbox.account.truthFor({ email })!;
  assert.equal(ada.subscriptions.mobile_push.marketing.consent, 'SUBSCRIBED');
  assert.equal(ada.subscriptions.whatsapp?.marketing?.consent, 'SUBSCRIBED');
  assert.deepEqual(consentOf(sandbox, email), {
    email: 'NEVER_SUBSCRIBED',
    sms: 'NEVER_SUBSCRIBED',
    lists: [],
  });
  assert.deepEqual(consentOf(sandbox, 'bea@shop.test')?.lists, ['Double']);
  sandbox.account.click({ email });
  sandbox.account.advance(MINUTE);
  assert.deepEqual(consentOf(sandbox, email)?.lists, ['Double']);
});

test('open tracking waits for the click on the mail that it came with', async (t) => {
  const sandbox = await sandboxFor(t);
  const subscriptions = { email: { marketing: IN, open_tracking: IN } };
  await subscribe(sandbox, [profile({ email, subscriptions })], { list: 'Double' });
  sandbox.account.advance(HOUR);
  assert.equal(sandbox.account.profiles.size, 0);
  sandbox.account.click({ email });
  sandbox.account.advance(MINUTE);
  const { open_tracking } = sandbox.account.truthFor({ email })!.subscriptions.email;
  assert.equal(open_tracking.consent, 'SUBSCRIBED');
});

test('open tracking of somebody already subscribed needs no click', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', lists: ['Double'] });
  const subscriptions = { email: { marketing: IN, open_tracking: IN } };
  await subscribe(sandbox, [profile({ email, subscriptions })], { list: 'Double' });
  sandbox.account.advance(HOUR);
  assert.deepEqual([...sandbox.account.messages()], []);
  const { open_tracking } = sandbox.account.truthFor({ email })!.subscriptions.email;
  assert.equal(open_tracking.consent, 'SUBSCRIBED');
});

test('one click after two messages confirms both', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const type of ['marketing', 'transactional']) {
    const rows = [profile({ phone_number, subscriptions: { sms: { [type]: IN } } })];
    await subscribe(sandbox, rows, { list: 'Double' });
    sandbox.account.advance(HOUR);
  }
  assert.equal(sandbox.account.click({ phone_number }), 1);
  sandbox.account.advance(MINUTE);
  const { marketing, transactional } = sandbox.account.truthFor({ phone_number })!.subscriptions
    .sms;
  assert.deepEqual([marketing.consent, transactional.consent], ['SUBSCRIBED', 'SUBSCRIBED']);
});

test('asks a subscriber who was suppressed by hand, and the click removes the suppression', async (t) => {
  const sandbox = await sandboxFor(t);
  const suppressions = ['USER_SUPPRESSED' as const];
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', suppressions, lists: ['Double'] });
  await subscribe(sandbox, [row({ email })], { list: 'Double' });
  sandbox.account.advance(HOUR);
  const suppressionsLeft = () =>
    sandbox.account.truthFor({ email })!.subscriptions.email.marketing.suppression.length;
  assert.equal(suppressionsLeft(), 1);
  assert.equal(sandbox.account.click({ email }), 1);
  sandbox.account.advance(MINUTE);
  assert.equal(suppressionsLeft(), 0);
});
