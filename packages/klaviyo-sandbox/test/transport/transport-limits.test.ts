import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, HOUR, sandboxFor, type ErrorBody } from '../support.js';

test('returns the limits of both windows with every answer', async (t) => {
  const sandbox = await sandboxFor(t);
  const first = await call(sandbox, 'GET', '/api/profiles');
  assert.equal(first.headers.get('ratelimit-limit'), '75, 75;w=1, 750;w=60');
  assert.equal(first.headers.get('ratelimit-remaining'), '74');
  assert.equal(first.headers.get('ratelimit-reset'), '0');
  const refused = await call(sandbox, 'GET', '/api/lists?page[size]=11');
  assert.equal(refused.status, 400);
  assert.equal(refused.headers.get('ratelimit-limit'), '75, 75;w=1, 750;w=60');
});

test('describes the steady window once it has less left than the burst window', async (t) => {
  const sandbox = await sandboxFor(t);
  let last: Response | undefined;
  for (let i = 0; i < 15; i++) {
    last = await call(sandbox, 'GET', '/api/accounts');
    if (i < 14) sandbox.account.advance(1_001);
  }
  assert.equal(last?.headers.get('ratelimit-remaining'), '0');
  sandbox.account.advance(61_000);
  for (let i = 0; i < 3; i++) {
    last = await call(sandbox, 'GET', '/api/metrics');
    sandbox.account.advance(100);
  }
  assert.equal(last?.headers.get('ratelimit-remaining'), '7');
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

test('a throttled call does not count, a refused one does', async (t) => {
  const sandbox = await sandboxFor(t);
  const missing = await call(sandbox, 'GET', '/api/accounts/Nobody');
  assert.deepEqual([missing.status, missing.headers.get('ratelimit-remaining')], [404, '0']);
  for (let i = 0; i < 20; i++) {
    assert.equal((await call(sandbox, 'GET', '/api/accounts/Nobody')).status, 429);
  }
  sandbox.account.advance(1_001);
  assert.equal((await call(sandbox, 'GET', '/api/accounts/SbxAcc')).status, 200);
});

test('a call without a valid key or revision does not count', async (t) => {
  const sandbox = await sandboxFor(t, { speed: 0.001 });
  for (const headers of [{ authorization: '' }, { revision: '2199-01-15' }]) {
    const response = await call(sandbox, 'GET', '/api/accounts', undefined, headers);
    assert.equal(response.headers.get('ratelimit-limit'), null);
  }
  assert.equal((await call(sandbox, 'GET', '/api/accounts')).status, 200);
});

test('counts profile_count against its own stricter limit, wherever it is in the list', async (t) => {
  const sandbox = await sandboxFor(t, { speed: 0.001 });
  const counted = '/api/lists/Single?additional-fields%5Blist%5D=profile_count';
  assert.equal((await call(sandbox, 'GET', counted)).status, 200);
  assert.equal((await call(sandbox, 'GET', counted)).status, 429);
  assert.equal((await call(sandbox, 'GET', '/api/lists/Single')).status, 200);
});

test('predictive_analytics of profiles and of members share one stricter limit', async (t) => {
  const sandbox = await sandboxFor(t, { speed: 0.001 });
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++) {
    for (const path of ['/api/profiles', '/api/lists/Single/profiles']) {
      const asked = `${path}?additional-fields[profile]=subscriptions,predictive_analytics`;
      statuses.push((await call(sandbox, 'GET', asked)).status);
    }
  }
  assert.deepEqual(statuses, [...Array<number>(10).fill(200), 429, 429]);
  assert.equal((await call(sandbox, 'GET', '/api/profiles')).status, 200);
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

for (const [additionalFieldsLimit, statuses] of [
  ['none', Array<number>(12).fill(200)],
  ['shared', [...Array<number>(10).fill(200), 429, 429]],
] as const) {
  test(`reads with additional fields share their own limit: ${additionalFieldsLimit}`, async (t) => {
    const sandbox = await sandboxFor(t, { speed: 0.001, switches: { additionalFieldsLimit } });
    const asked: number[] = [];
    const told = new Set<string | null>();
    for (let i = 0; i < 6; i++) {
      for (const path of ['/api/profiles', '/api/lists/Single/profiles']) {
        const asks = `${path}?additional-fields[profile]=subscriptions`;
        const { status, headers } = await call(sandbox, 'GET', asks);
        asked.push(status);
        if (status === 200) told.add(headers.get('ratelimit-limit'));
      }
    }
    assert.deepEqual(asked, statuses);
    assert.deepEqual([...told], ['75, 75;w=1, 750;w=60'], 'headers describe the endpoint alone');
    assert.equal((await call(sandbox, 'GET', '/api/profiles')).status, 200, 'others are free');
  });
}
