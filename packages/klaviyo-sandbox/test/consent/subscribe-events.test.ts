import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeedProfile } from '../../src/index.js';
import { HOUR, row, sandboxFor, subscribe } from '../support.js';
import { eventsOf, IN, metricsOf, OUT, profile, unsubscribe } from './consent-support.js';

const email = 'ada@shop.test';
const phone_number = '+12015550123';
const both = { email, phone_number };
const consented_at = '2021-03-04T05:06:07Z';
const MAIL = 'Subscribed to Email Marketing';
const TEXT = 'Subscribed to SMS Marketing';
const LIST = 'Subscribed to List Single';
const SUBSCRIBED: SeedProfile = {
  ...both,
  email_consent: 'SUBSCRIBED',
  sms_consent: 'SUBSCRIBED',
  lists: ['Single'],
};

test('a live subscribe writes an event for each channel and the list, dated when it shows', async (t) => {
  const sandbox = await sandboxFor(t);
  const sent = Math.floor(Date.now() / 1_000) * 1_000;
  await subscribe(sandbox, [row(both, ['email', 'sms'])], { list: 'Single' });
  assert.deepEqual(eventsOf(sandbox), [], 'not while it is on its way');
  sandbox.account.advance(HOUR);
  assert.deepEqual(metricsOf(sandbox), [MAIL, LIST, TEXT]);
  for (const { time } of eventsOf(sandbox)) assert.ok(time >= sent);
});

test('a subscribe that changes nothing writes no event', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed(SUBSCRIBED);
  await subscribe(sandbox, [row(both, ['email', 'sms'])], { list: 'Single' });
  sandbox.account.advance(HOUR);
  assert.deepEqual(metricsOf(sandbox), []);
});

test('a subscriber who joins another list gets an event for that list only', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ ...SUBSCRIBED, lists: [] });
  await subscribe(sandbox, [row(both, ['email', 'sms'])], { list: 'Single' });
  sandbox.account.advance(HOUR);
  assert.deepEqual(metricsOf(sandbox), [LIST]);
});

test('channels without a metric only have events for the list', async (t) => {
  const sandbox = await sandboxFor(t);
  const subscriptions = { whatsapp: { marketing: IN }, push: { marketing: IN } };
  const texts = { sms: { transactional: IN }, email: { open_tracking: IN } };
  const rows = [profile({ ...both, subscriptions: { ...subscriptions, ...texts } })];
  await subscribe(sandbox, rows, { list: 'Single' });
  sandbox.account.advance(HOUR);
  assert.deepEqual(metricsOf(sandbox), [LIST]);
});

for (const historicalEvents of ['backdated', 'now'] as const) {
  test(`a historical import writes events dated ${historicalEvents}`, async (t) => {
    const sandbox = await sandboxFor(t, { switches: { historicalEvents } });
    const before = Math.floor(Date.now() / 1_000) * 1_000;
    const rows = [row(both, ['email', 'sms'], { consented_at })];
    await subscribe(sandbox, rows, { list: 'Double', historical_import: true });
    sandbox.account.advance(HOUR);
    assert.deepEqual(metricsOf(sandbox), [MAIL, 'Subscribed to List Double', TEXT]);
    for (const { time } of eventsOf(sandbox)) {
      if (historicalEvents === 'now') assert.ok(time >= before);
      else assert.equal(time, Date.parse(consented_at));
    }
  });
}

test('events of double opt-in come with the click, separately for mail and text', async (t) => {
  const sandbox = await sandboxFor(t);
  await subscribe(sandbox, [row(both, ['email', 'sms'])], { list: 'Double' });
  sandbox.account.advance(HOUR);
  assert.deepEqual(metricsOf(sandbox), []);
  sandbox.account.click({ email });
  sandbox.account.advance(HOUR);
  assert.deepEqual(metricsOf(sandbox), [MAIL, 'Subscribed to List Double']);
  sandbox.account.click({ phone_number });
  sandbox.account.advance(HOUR);
  assert.deepEqual(metricsOf(sandbox), [MAIL, 'Subscribed to List Double', TEXT]);
});

const OUT_OF_BOTH = { email: { marketing: OUT }, sms: { marketing: OUT } };

test('an unsubscribe writes one event for each channel', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed(SUBSCRIBED);
  for (let i = 0; i < 2; i++) {
    await unsubscribe(sandbox, [{ ...both, subscriptions: OUT_OF_BOTH }]);
    assert.deepEqual(metricsOf(sandbox), [
      'Unsubscribed from Email Marketing',
      'Unsubscribed from SMS Marketing',
    ]);
  }
});

test('an unsubscribe from a list writes an event for the list', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed(SUBSCRIBED);
  await unsubscribe(sandbox, [{ ...both, subscriptions: OUT_OF_BOTH }], 'Single');
  assert.deepEqual(metricsOf(sandbox), ['Unsubscribed from List Single']);
});

test('a link, a STOP and a carrier write one event each', async (t) => {
  const sandbox = await sandboxFor(t);
  const other = '+12025550143';
  sandbox.account.seed(SUBSCRIBED);
  sandbox.account.seed({ phone_number: other, sms_consent: 'SUBSCRIBED' });
  for (let i = 0; i < 2; i++) {
    sandbox.account.unsubscribe({ email });
    sandbox.account.stopSms({ phone_number });
    sandbox.account.deactivatePhone({ phone_number: other });
  }
  assert.deepEqual(metricsOf(sandbox), [
    'Unsubscribed from Email Marketing',
    'Unsubscribed from SMS Marketing',
    'Unsubscribed from SMS Marketing',
  ]);
});

test('seeds write no events', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed(SUBSCRIBED);
  assert.deepEqual(metricsOf(sandbox), []);
});
