import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../../src/index.js';
import { eventsOf, unsubscribe } from '../consent/consent-support.js';
import { created } from '../profiles/profiles.js';
import { call, get, HOUR, row, sandboxFor, subscribe } from '../support.js';

const email = 'ada@shop.test';
const OUT = { email: { marketing: { consent: 'UNSUBSCRIBED' } } };
/** Answers arrive faster than this, also on a busy machine. */
const SLACK_MS = 60_000;

for (const clockAheadMs of [-3 * HOUR, 0, 3 * HOUR]) {
  const name = `Klaviyo's clock is ${clockAheadMs / HOUR} h ahead`;

  /** Whether a moment is now by Klaviyo's clock. */
  const isNow = (date: string | null | undefined): boolean =>
    Math.abs(Date.parse(date ?? '') - Date.now() - clockAheadMs) < SLACK_MS;

  test(`${name}: every answer is dated by it`, async (t) => {
    const sandbox = await sandboxFor(t, { clockAheadMs });
    const fault = (text: string) => ({ 'x-sandbox-fault': text });
    const answers: [string, number, Response][] = [
      ['a page', 200, await call(sandbox, 'GET', '/api/profiles')],
      ['without its body', 200, await call(sandbox, 'HEAD', '/api/profiles')],
      ['accepted', 202, await subscribe(sandbox, [row({ email })])],
      ['a refusal', 400, await subscribe(sandbox, [row({ email: 'none' })])],
      ['a wrong key', 401, await call(sandbox, 'GET', '/api/lists', undefined, NO_KEY)],
      ['no such path', 404, await call(sandbox, 'GET', '/api/nothing')],
      ['no such method', 405, await call(sandbox, 'PATCH', '/api/profiles')],
      ['methods', 200, await call(sandbox, 'OPTIONS', '/api/profiles')],
      ['throttled', 429, await call(sandbox, 'GET', '/api/profiles', undefined, fault('429'))],
      ['a proxy', 502, await call(sandbox, 'GET', '/api/profiles', undefined, fault('html'))],
      ['half', 200, await call(sandbox, 'GET', '/api/profiles', undefined, fault('truncated'))],
      ['no fault', 400, await call(sandbox, 'GET', '/api/profiles', undefined, fault('flood'))],
    ];
    for (const [what, status, answer] of answers) {
      const date = answer.headers.get('date');
      assert.ok(isNow(date), `${what}: ${date}`);
      assert.equal(answer.status, status, what);
    }
  });

  test(`${name}: what Klaviyo dates follows it`, async (t) => {
    const sandbox = await sandboxFor(t, { clockAheadMs });
    await subscribe(sandbox, [row({ email })], { list: 'Single' });
    sandbox.account.advance(HOUR);
    const { created: made, updated, lists, subscriptions } = sandbox.account.truthFor({ email })!;
    const { consent_timestamp, last_updated } = subscriptions.email.marketing;
    const dates = { made, updated, joined: lists[0]?.joined_group_at, consent_timestamp };
    for (const [field, date] of Object.entries({ ...dates, last_updated })) {
      assert.ok(isNow(date), `${field}: ${date}`);
    }
    await unsubscribe(sandbox, [{ email, subscriptions: OUT }]);
    const { suppression } = sandbox.account.truthFor({ email })!.subscriptions.email.marketing;
    assert.ok(isNow(suppression[0]?.timestamp), 'a suppression');
    const events = eventsOf(sandbox).map(({ time }) => new Date(time).toISOString());
    assert.equal(events.length, 3);
    assert.deepEqual(
      events.filter((date) => !isNow(date)),
      [],
    );
  });

  test(`${name}: it decides what is in the future`, async (t) => {
    const sandbox = await sandboxFor(t, { clockAheadMs });
    await created(sandbox, { email });
    const [past, future] = [-HOUR, HOUR].map((by) =>
      new Date(Date.now() + clockAheadMs + by).toISOString(),
    ) as [string, string];
    assert.deepEqual(await statuses(sandbox, past), { filter: 200, consent: 202 });
    assert.deepEqual(await statuses(sandbox, future), { filter: 400, consent: 400 });
    const found = await get(sandbox, `/api/profiles?filter=greater-than(updated,${past})`);
    assert.equal(found.data.length, 1);
  });
}

const NO_KEY = { authorization: 'Klaviyo-API-Key pk_other' };

/** How a date is accepted in a filter and as a historical consent date. */
async function statuses(sandbox: Sandbox, date: string) {
  const filter = await call(sandbox, 'GET', `/api/profiles?filter=greater-than(created,${date})`);
  const past = row({ email: 'bea@shop.test' }, ['email'], { consented_at: date });
  const consent = await subscribe(sandbox, [past], { historical_import: true });
  return { filter: filter.status, consent: consent.status };
}

test('how long things take does not depend on it', async (t) => {
  const sandbox = await sandboxFor(t, { clockAheadMs: -24 * HOUR, delays: 'fast' });
  await subscribe(sandbox, [row({ email })], { list: 'Single' });
  const deadline = Date.now() + 10_000;
  while (sandbox.account.truthFor({ email })?.lists.length !== 1) {
    assert.ok(Date.now() < deadline, 'not within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

for (const clockAheadMs of [Infinity, '1h' as unknown as number]) {
  test(`refuses ${clockAheadMs} as the clock difference`, async (t) => {
    const words = new RegExp(`clockAheadMs must be a number of ms, got ${clockAheadMs}`);
    await assert.rejects(sandboxFor(t, { clockAheadMs }), words);
  });
}
