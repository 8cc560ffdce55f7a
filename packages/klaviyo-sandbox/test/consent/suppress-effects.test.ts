import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SuppressionTarget } from '../../src/account/consent/suppressing.js';
import type { Sandbox } from '../../src/index.js';
import { HOUR, row, sandboxFor, subscribe } from '../support.js';
import { metricsOf } from './consent-support.js';

const email = 'ada@shop.test';
const MINUTE = 60_000;
const LONG_AGO = '2020-01-01T00:00:00Z';

const marketingOf = (sandbox: Sandbox, address = email) =>
  sandbox.account.truthFor({ email: address })!.subscriptions.email.marketing;
const reasonsOf = (sandbox: Sandbox, address = email) =>
  marketingOf(sandbox, address).suppression.map(({ reason }) => reason);
const suppress = (sandbox: Sandbox, target: SuppressionTarget = { emails: [email] }) =>
  sandbox.account.suppressing.accept('suppress', target);
const unsuppress = (sandbox: Sandbox, target: SuppressionTarget = { emails: [email] }) =>
  sandbox.account.suppressing.accept('unsuppress', target);

test('a suppression is applied 3 minutes to 4 hours later and does not change consent', async (t) => {
  const sandbox = await sandboxFor(t);
  const emails = Array.from({ length: 100 }, (_, i) => `p${i}@shop.test`);
  for (const address of emails)
    sandbox.account.seed({ email: address, email_consent: 'SUBSCRIBED' });
  suppress(sandbox, { emails });
  const landed = () => emails.filter((address) => reasonsOf(sandbox, address).length > 0).length;
  sandbox.account.advance(2.9 * MINUTE);
  assert.equal(landed(), 0);
  sandbox.account.advance(2 * HOUR);
  assert.ok(landed() > 20 && landed() < 80, `${landed()} of 100 after 2 hours`);
  sandbox.account.advance(2 * HOUR);
  assert.equal(landed(), 100);
  const { consent, can_receive_email_marketing, suppression } = marketingOf(sandbox, emails[0]);
  assert.deepEqual([consent, can_receive_email_marketing], ['SUBSCRIBED', false]);
  assert.equal(suppression[0]?.reason, 'USER_SUPPRESSED');
  assert.deepEqual(metricsOf(sandbox), [], 'there is no event of a suppression');
});

for (const [name, people] of [
  ['people', { emails: [email] }],
  ['a list', { group: 'list', id: 'Single' }],
] satisfies [string, SuppressionTarget][]) {
  test(`a late suppression of ${name} has the date of its request`, async (t) => {
    const sandbox = await sandboxFor(t);
    sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', lists: ['Single'] });
    const before = Date.now();
    suppress(sandbox, people);
    const asked = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 30));
    sandbox.account.advance(5 * HOUR);
    const date = Date.parse(marketingOf(sandbox).suppression[0]!.timestamp);
    assert.ok(date >= before && date <= asked, `${date - before} ms after it was asked for`);
  });
}

test('creates a profile for an unknown address after 20 minutes and suppresses it later', async (t) => {
  const sandbox = await sandboxFor(t);
  suppress(sandbox);
  sandbox.account.advance(19 * MINUTE);
  assert.equal(sandbox.account.profiles.size, 0);
  sandbox.account.advance(2 * MINUTE);
  assert.equal(marketingOf(sandbox).consent, 'NEVER_SUBSCRIBED');
  assert.deepEqual(reasonsOf(sandbox), []);
  sandbox.account.advance(4.5 * HOUR);
  assert.deepEqual(reasonsOf(sandbox), ['USER_SUPPRESSED']);
});

for (const suppressionMovesUpdated of [false, true]) {
  test(`adding and removing a suppression change updated: ${suppressionMovesUpdated}`, async (t) => {
    const sandbox = await sandboxFor(t, { switches: { suppressionMovesUpdated } });
    const other = 'bea@shop.test';
    sandbox.account.seed({ email, created: LONG_AGO });
    sandbox.account.seed({ email: other, created: LONG_AGO, suppressions: ['USER_SUPPRESSED'] });
    suppress(sandbox);
    unsuppress(sandbox, { emails: [other] });
    sandbox.account.advance(5 * HOUR);
    for (const address of [email, other]) {
      const { updated } = sandbox.account.truthFor({ email: address })!;
      assert.equal(updated > '2020-01-02', suppressionMovesUpdated, address);
    }
  });
}

test('an existing suppression keeps its date and changes nothing', async (t) => {
  const sandbox = await sandboxFor(t, { switches: { suppressionMovesUpdated: true } });
  const suppressions = [{ reason: 'USER_SUPPRESSED' as const, timestamp: LONG_AGO }];
  sandbox.account.seed({ email, created: LONG_AGO, suppressions });
  suppress(sandbox);
  sandbox.account.advance(5 * HOUR);
  assert.deepEqual(
    marketingOf(sandbox).suppression.map(({ timestamp }) => timestamp),
    ['2020-01-01T00:00:00+00:00'],
  );
  assert.equal(sandbox.account.truthFor({ email })!.updated, '2020-01-01T00:00:00+00:00');
});

test('an unsuppress removes suppressions by hand and nothing else', async (t) => {
  const sandbox = await sandboxFor(t);
  const reasons = ['HARD_BOUNCE', 'INVALID_EMAIL', 'SPAM_COMPLAINT', 'UNSUBSCRIBE'] as const;
  sandbox.account.seed({ email, suppressions: [...reasons, 'USER_SUPPRESSED'] });
  unsuppress(sandbox);
  sandbox.account.advance(2 * MINUTE);
  assert.equal(reasonsOf(sandbox).length, 5, 'not at once');
  sandbox.account.advance(5 * HOUR);
  assert.deepEqual(reasonsOf(sandbox), [...reasons]);
});

test('people who had consented can be mailed again once the suppression is removed', async (t) => {
  const sandbox = await sandboxFor(t);
  const suppressions = ['USER_SUPPRESSED' as const];
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', suppressions });
  assert.equal(marketingOf(sandbox).can_receive_email_marketing, false);
  unsuppress(sandbox);
  sandbox.account.advance(5 * HOUR);
  assert.equal(marketingOf(sandbox).can_receive_email_marketing, true);
});

test('an unsuppress creates no profile for an unknown address', async (t) => {
  const sandbox = await sandboxFor(t);
  unsuppress(sandbox);
  sandbox.account.advance(24 * HOUR);
  assert.equal(sandbox.account.profiles.size, 0);
});

test('a list stands for its members at the time when the job is applied', async (t) => {
  const sandbox = await sandboxFor(t);
  const [stays, leaves, comes] = ['stays', 'leaves', 'comes'].map((name) => `${name}@shop.test`);
  sandbox.account.seed({ email: stays!, lists: ['Single'] });
  sandbox.account.seed({ email: leaves!, lists: ['Single'] });
  sandbox.account.seed({ email: comes! });
  sandbox.account.seed({ phone_number: '+12015550123', lists: ['Single'] });
  const job = suppress(sandbox, { group: 'list', id: 'Single' });
  const list = sandbox.account.lists.get('Single')!;
  list.leave(sandbox.account.profiles.withEmail(leaves!)!);
  list.join(sandbox.account.profiles.withEmail(comes!)!, Date.now());
  sandbox.account.advance(5 * HOUR);
  assert.deepEqual(reasonsOf(sandbox, stays), ['USER_SUPPRESSED']);
  assert.deepEqual(reasonsOf(sandbox, comes), ['USER_SUPPRESSED']);
  assert.deepEqual(reasonsOf(sandbox, leaves), []);
  assert.deepEqual([job.total, job.skipped], [3, 1], 'a phone cannot be suppressed');
});

test('a segment stands for its members, also in an unsuppress', async (t) => {
  const sandbox = await sandboxFor(t, {
    segments: [{ id: 'Vip', name: 'Vip', where: { property: 'vip', equals: true } }],
  });
  sandbox.account.seed({ email, properties: { vip: true } });
  sandbox.account.seed({ email: 'bea@shop.test', properties: { vip: false } });
  sandbox.account.advance(HOUR);
  suppress(sandbox, { group: 'segment', id: 'Vip' });
  sandbox.account.advance(5 * HOUR);
  assert.deepEqual(reasonsOf(sandbox), ['USER_SUPPRESSED']);
  assert.deepEqual(reasonsOf(sandbox, 'bea@shop.test'), []);
  unsuppress(sandbox, { group: 'segment', id: 'Vip' });
  sandbox.account.advance(5 * HOUR);
  assert.deepEqual(reasonsOf(sandbox), []);
});

test('a subscribe removes a suppression by hand and writes an event again', async (t) => {
  const sandbox = await sandboxFor(t);
  const suppressions = ['USER_SUPPRESSED' as const];
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', suppressions });
  await subscribe(sandbox, [row({ email })], { list: 'Single' });
  sandbox.account.advance(HOUR);
  assert.deepEqual(reasonsOf(sandbox), []);
  assert.deepEqual(metricsOf(sandbox), [
    'Subscribed to Email Marketing',
    'Subscribed to List Single',
  ]);
});
