import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  call,
  HOUR,
  refusal,
  sandboxFor,
  subscribe,
  row,
  SUBSCRIBE,
  type ErrorBody,
} from './support.js';

test('refuses a wrong key with the recorded 401', async (t) => {
  const sandbox = await sandboxFor(t);
  const response = await call(sandbox, 'GET', '/api/accounts', undefined, {
    authorization: 'Klaviyo-API-Key pk_other',
  });
  assert.equal(response.status, 401);
  const [error] = ((await response.json()) as ErrorBody).errors;
  assert.equal(error?.status, 401);
  assert.equal(error?.code, 'authentication_failed');
  assert.equal(error?.title, 'Incorrect authentication credentials.');
  assert.equal(error?.detail, 'Incorrect authentication credentials.');
  assert.deepEqual(error?.source, { pointer: '/data/' });
});

test('refuses a key without the scopes of the operation, and lets it read what it may', async (t) => {
  const sandbox = await sandboxFor(t, { scopes: ['profiles:read'] });
  const refused = await subscribe(sandbox, [row({ email: 'ada@shop.test' })]);
  assert.equal(refused.status, 403);
  assert.match(
    (await refusal(refused)).errors[0]![1]!,
    /lists:write, profiles:write, subscriptions:write/,
  );
  assert.equal((await call(sandbox, 'GET', '/api/profiles')).status, 200);
});

const REFUSED: [string, Record<string, string>, number][] = [
  ['no key', { authorization: '' }, 401],
  ['another scheme', { authorization: 'Bearer pk_sandbox' }, 401],
  ['an unknown revision', { revision: '2019-01-01' }, 400],
  ['an empty revision', { revision: '' }, 400],
  ['a form as content type', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
];
for (const [name, headers, status] of REFUSED) {
  test(`refuses ${name} with ${status}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const response = await call(sandbox, 'POST', SUBSCRIBE, {}, headers);
    assert.equal(response.status, status);
  });
}

test('takes application/json and a trailing slash, as the official guides send them', async (t) => {
  const sandbox = await sandboxFor(t);
  const type = { 'content-type': 'application/json' };
  const response = await call(sandbox, 'POST', `${SUBSCRIBE}/`, {}, type);
  assert.equal((await refusal(response)).errors[0]![0], '/data');
});

test('wants the beta revision on beta operations', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.equal((await call(sandbox, 'GET', '/api/text-messaging-senders')).status, 400);
  const beta = { revision: '2026-07-15.pre' };
  assert.equal(
    (await call(sandbox, 'GET', '/api/text-messaging-senders', undefined, beta)).status,
    200,
  );
});

test('tells the limits of both windows with every answer', async (t) => {
  const sandbox = await sandboxFor(t);
  const first = await call(sandbox, 'GET', '/api/profiles');
  assert.equal(first.headers.get('ratelimit-limit'), '75, 75;w=1, 750;w=60');
  assert.equal(first.headers.get('ratelimit-remaining'), '74');
  assert.equal(first.headers.get('ratelimit-reset'), '0');
  const refused = await call(sandbox, 'GET', '/api/lists?page[size]=11');
  assert.equal(refused.status, 400);
  assert.equal(refused.headers.get('ratelimit-limit'), '75, 75;w=1, 750;w=60');
});

test('throttles by the steady window with only retry-after, and recovers when it ends', async (t) => {
  const sandbox = await sandboxFor(t);
  const statuses: number[] = [];
  let throttled: Response | undefined;
  for (let i = 0; i < 16; i++) {
    const response = await call(sandbox, 'GET', '/api/accounts');
    statuses.push(response.status);
    throttled = response;
    sandbox.account.advance(1_001);
  }
  assert.deepEqual(new Set(statuses.slice(0, 15)), new Set([200]));
  assert.equal(statuses[15], 429);
  assert.equal(throttled?.headers.get('ratelimit-limit'), null);
  const wait = Number(throttled.headers.get('retry-after'));
  assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60, `retry-after ${wait}`);
  const [error] = ((await throttled.json()) as ErrorBody).errors;
  assert.equal(error?.code, 'throttled');
  assert.equal(error?.title, 'Request was throttled.');
  assert.match(error.detail, /^Request was throttled\. Expected available in \d+ seconds?\.$/);
  assert.equal((await call(sandbox, 'GET', '/api/lists')).status, 200, 'another endpoint is free');
  sandbox.account.advance(61_000);
  assert.equal((await call(sandbox, 'GET', '/api/accounts')).status, 200);
});

test('throttles by the burst window', async (t) => {
  const sandbox = await sandboxFor(t, { speed: 0.001 });
  assert.equal((await call(sandbox, 'GET', '/api/accounts')).status, 200);
  assert.equal((await call(sandbox, 'GET', '/api/accounts')).status, 429);
});

test('counts profile_count against its own stricter limit', async (t) => {
  const sandbox = await sandboxFor(t, { speed: 0.001 });
  const counted = '/api/lists/Single?additional-fields[list]=profile_count';
  assert.equal((await call(sandbox, 'GET', counted)).status, 200);
  assert.equal((await call(sandbox, 'GET', counted)).status, 429);
  assert.equal((await call(sandbox, 'GET', '/api/lists/Single')).status, 200);
});

test('allows 150 new lists a day', async (t) => {
  const sandbox = await sandboxFor(t);
  const body = { data: { type: 'list', attributes: { name: 'Another' } } };
  let created = 0;
  for (; created <= 150; created++) {
    if (created % 10 === 0) sandbox.account.advance(5_000);
    const response = await call(sandbox, 'POST', '/api/lists', body);
    if (response.status !== 201) break;
  }
  assert.equal(created, 150);
  sandbox.account.advance(24 * HOUR);
  assert.equal((await call(sandbox, 'POST', '/api/lists', body)).status, 201);
});

test('answers unknown paths, methods and parameters as errors', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.equal((await call(sandbox, 'GET', '/api/unknown')).status, 404);
  assert.equal((await call(sandbox, 'GET', SUBSCRIBE)).status, 405);
  const unknown = await refusal(await call(sandbox, 'GET', '/api/profiles?page[limit]=5'));
  assert.deepEqual([unknown.status, unknown.errors[0]![0]], [400, 'page[limit]']);
});
