import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consentOf, HOUR, row, sandboxFor, subscribe } from '../support.js';

const email = 'ada@shop.test';
const phone_number = '+12015550123';
const MINUTE = 60_000;

test('shows a live subscribe after 15 s to 3 minutes', async (t) => {
  const sandbox = await sandboxFor(t);
  const rows = Array.from({ length: 200 }, (_, i) => row({ email: `p${i}@shop.test` }));
  await subscribe(sandbox, rows, { list: 'Single' });
  sandbox.account.advance(14_000);
  assert.equal(sandbox.account.profiles.size, 0);
  sandbox.account.advance(MINUTE);
  const early = sandbox.account.profiles.size;
  assert.ok(early > 0 && early < 200, `${early} of 200 after 74 s`);
  sandbox.account.advance(2 * MINUTE);
  assert.equal(sandbox.account.profiles.size, 200);
  assert.deepEqual(consentOf(sandbox, 'p7@shop.test'), {
    email: 'SUBSCRIBED',
    sms: 'NEVER_SUBSCRIBED',
    lists: ['Single'],
  });
});

test('applies in the same time whatever the order of the rows', async (t) => {
  const shown = async (emails: string[]) => {
    const sandbox = await sandboxFor(t, { seed: 7 });
    await subscribe(
      sandbox,
      emails.map((address) => row({ email: address })),
      { list: 'Single' },
    );
    sandbox.account.advance(80_000);
    return new Set([...sandbox.account.truth()].map((line) => line.email));
  };
  const emails = Array.from({ length: 100 }, (_, i) => `p${i}@shop.test`);
  assert.deepEqual(await shown(emails), await shown(emails.toReversed()));
});

test('back-dates a historical subscribe, within 2 to 20 minutes, also on a double opt-in list', async (t) => {
  const sandbox = await sandboxFor(t);
  const consented_at = '2021-03-04T05:06:07Z';
  const rows = [row({ email, phone_number }, ['email', 'sms'], { consented_at })];
  const options = { list: 'Double', historical_import: true, custom_source: 'old shop' };
  assert.equal((await subscribe(sandbox, rows, options)).status, 202);
  sandbox.account.advance(119_000);
  assert.equal(consentOf(sandbox, email), undefined);
  const applied = Date.now();
  sandbox.account.advance(20 * MINUTE);
  const truth = sandbox.account.truthFor({ email });
  const { marketing } = truth!.subscriptions.email;
  assert.equal(marketing.consent, 'SUBSCRIBED');
  assert.equal(marketing.consent_timestamp, '2021-03-04T05:06:07+00:00');
  assert.equal(marketing.method, 'API');
  assert.equal(marketing.custom_method_detail, 'old shop');
  assert.equal(marketing.double_optin, false);
  assert.equal(truth!.subscriptions.sms.marketing.consent, 'SUBSCRIBED');
  assert.equal(truth!.lists[0]?.id, 'Double');
  assert.ok(Date.parse(truth!.lists[0].joined_group_at) >= applied, 'joined when applied');
  assert.deepEqual([...sandbox.account.messages()], []);
});

test('dates all consent of a row alike, however long it takes to write', async (t) => {
  const sandbox = await sandboxFor(t, { delays: 'fast' });
  const { clock } = sandbox.account;
  const wall = clock.wall.bind(clock);
  let looks = 0;
  clock.wall = () => wall() + 1_000 * looks++;
  const consent = { consent: 'SUBSCRIBED' };
  const both = { marketing: consent, transactional: consent };
  const attributes = { phone_number, subscriptions: { sms: both } };
  await subscribe(sandbox, [{ type: 'profile', attributes }], { list: 'Single' });
  sandbox.account.advance(MINUTE);
  const { sms } = sandbox.account.truthFor({ phone_number })!.subscriptions;
  assert.equal(sms.transactional.consent, 'SUBSCRIBED');
  assert.equal(sms.transactional.consent_timestamp, sms.marketing.consent_timestamp);
});

test('clamps dates before 1990', async (t) => {
  const sandbox = await sandboxFor(t);
  const rows = [row({ email }, ['email'], { consented_at: '1970-01-01T00:00:00Z' })];
  await subscribe(sandbox, rows, { historical_import: true });
  sandbox.account.advance(HOUR);
  const truth = sandbox.account.truthFor({ email });
  assert.equal(truth?.subscriptions.email.marketing.consent_timestamp, '1990-01-01T00:00:00+00:00');
});

test('keeps an earlier date if somebody is already subscribed', async (t) => {
  const sandbox = await sandboxFor(t);
  const consent_timestamp = '2022-05-06T07:08:09Z';
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', consent_timestamp });
  const rows = [row({ email }, ['email'], { consented_at: '2021-03-04T05:06:07Z' })];
  assert.equal((await subscribe(sandbox, rows, { historical_import: true })).status, 202);
  sandbox.account.advance(HOUR);
  const truth = sandbox.account.truthFor({ email });
  assert.equal(truth?.subscriptions.email.marketing.consent_timestamp, '2022-05-06T07:08:09+00:00');
});

test('keeps an opt-out that came after the historical subscribe was accepted', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email });
  const rows = [row({ email }, ['email'], { consented_at: '2021-03-04T05:06:07Z' })];
  await subscribe(sandbox, rows, { historical_import: true });
  sandbox.account.unsubscribe({ email });
  sandbox.account.advance(HOUR);
  assert.equal(consentOf(sandbox, email)?.email, 'UNSUBSCRIBED');
});

const LIFTING = [
  ['UNSUBSCRIBE', true],
  ['SPAM_COMPLAINT', true],
  ['USER_SUPPRESSED', true],
  ['HARD_BOUNCE', false],
  ['INVALID_EMAIL', false],
] as const;
for (const [reason, lifted] of LIFTING) {
  test(`a live subscribe ${lifted ? 'removes' : 'keeps'} ${reason}`, async (t) => {
    const sandbox = await sandboxFor(t);
    sandbox.account.seed({ email, email_consent: 'UNSUBSCRIBED', suppressions: [reason] });
    await subscribe(sandbox, [row({ email })], { list: 'Single' });
    sandbox.account.advance(HOUR);
    const marketing = sandbox.account.truthFor({ email })!.subscriptions.email.marketing;
    assert.equal(marketing.consent, 'SUBSCRIBED');
    assert.equal(marketing.can_receive_email_marketing, lifted);
    assert.deepEqual(
      marketing.suppression.map((suppression) => suppression.reason),
      lifted ? [] : [reason],
    );
  });
}

test('consent to texts removes no e-mail suppression', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, phone_number, email_consent: 'UNSUBSCRIBED' });
  await subscribe(sandbox, [row({ email, phone_number }, ['sms'])], { list: 'Single' });
  sandbox.account.advance(HOUR);
  const { subscriptions } = sandbox.account.truthFor({ email })!;
  assert.equal(subscriptions.sms.marketing.consent, 'SUBSCRIBED');
  assert.equal(subscriptions.email.marketing.suppression[0]?.reason, 'UNSUBSCRIBE');
});

test('accepts a landline and never applies its consent', async (t) => {
  const sandbox = await sandboxFor(t);
  const landline = { email, phone_number: '+442079460123' };
  assert.equal(
    (await subscribe(sandbox, [row(landline, ['email', 'sms'])], { list: 'Single' })).status,
    202,
  );
  sandbox.account.advance(HOUR);
  assert.deepEqual(consentOf(sandbox, email), {
    email: 'SUBSCRIBED',
    sms: 'NEVER_SUBSCRIBED',
    lists: ['Single'],
  });
});

test('accepts filtered domains and ignores them, whatever the opt-in', async (t) => {
  const sandbox = await sandboxFor(t, { filteredDomains: ['Example.com'] });
  const fake = 'ada@example.com';
  for (const list of ['Single', 'Double']) {
    assert.equal((await subscribe(sandbox, [row({ email: fake })], { list })).status, 202);
  }
  sandbox.account.advance(HOUR);
  assert.equal(consentOf(sandbox, fake), undefined);
  assert.deepEqual([...sandbox.account.messages()], []);
  assert.equal([...sandbox.account.subscribed()].length, 2, 'but both calls carried the address');
});

test('a subscribe changes updated', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, created: '2020-01-01T00:00:00Z' });
  await subscribe(sandbox, [row({ email })], { list: 'Single' });
  sandbox.account.advance(HOUR);
  assert.notEqual(sandbox.account.truthFor({ email })?.updated, '2020-01-01T00:00:00+00:00');
});

test('keeps the date of joining when somebody subscribes again', async (t) => {
  const sandbox = await sandboxFor(t);
  const joined_group_at = '2020-01-01T00:00:00Z';
  sandbox.account.seed({ email, lists: [{ id: 'Single', joined_group_at }] });
  await subscribe(sandbox, [row({ email })], { list: 'Single' });
  sandbox.account.advance(HOUR);
  const [list] = sandbox.account.truthFor({ email })!.lists;
  assert.equal(list?.joined_group_at, '2020-01-01T00:00:00+00:00');
});

test('uses the last of two rows with the same e-mail', async (t) => {
  const sandbox = await sandboxFor(t);
  const rows = [row({ email, phone_number }), row({ email, phone_number: '+12025550143' })];
  assert.equal((await subscribe(sandbox, rows, { list: 'Single' })).status, 202);
  sandbox.account.advance(HOUR);
  assert.equal(sandbox.account.truthFor({ email })?.phone_number, '+12025550143');
});

test('a changed phone loses the consent to texts of the old one', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, phone_number, sms_consent: 'SUBSCRIBED' });
  await subscribe(sandbox, [row({ email, phone_number: '+12025550143' })], { list: 'Single' });
  sandbox.account.advance(HOUR);
  assert.equal(consentOf(sandbox, email)?.sms, 'NEVER_SUBSCRIBED');
});

for (const twoProfiles of ['merge', 'ignore_phone'] as const) {
  test(`an e-mail and a phone of two profiles: ${twoProfiles}`, async (t) => {
    const sandbox = await sandboxFor(t, { switches: { twoProfiles } });
    sandbox.account.seed({ email });
    sandbox.account.seed({ phone_number, sms_consent: 'SUBSCRIBED', lists: ['Double'] });
    const accepted = await subscribe(sandbox, [row({ email, phone_number })], { list: 'Single' });
    assert.equal(accepted.status, 202);
    sandbox.account.advance(HOUR);
    const merged = twoProfiles === 'merge';
    assert.equal(sandbox.account.profiles.size, merged ? 1 : 2);
    const truth = sandbox.account.truthFor({ email })!;
    assert.equal(truth.phone_number, merged ? phone_number : null);
    assert.equal(
      truth.subscriptions.sms.marketing.consent,
      merged ? 'SUBSCRIBED' : 'NEVER_SUBSCRIBED',
    );
    assert.deepEqual(
      truth.lists.map(({ id }) => id).sort(),
      merged ? ['Double', 'Single'] : ['Single'],
    );
  });
}
