import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestLine } from '../../src/account/requests/request-trail.js';
import { RequestTrail, TRAIL_LENGTH } from '../../src/account/requests/request-trail.js';
import type { Sandbox } from '../../src/index.js';
import { ask, linesOf, refused } from './control-support.js';
import { call, row, sandboxFor, subscribe } from '../support.js';

async function logOf(sandbox: Sandbox, limit = ''): Promise<RequestLine[]> {
  const path = `/requests/log${limit}`;
  const { requests } = await ask<{ requests: RequestLine[] }>(sandbox, 'GET', path);
  return requests;
}

test('logs every request with its query, answer and fault, and no body', async (t) => {
  const sandbox = await sandboxFor(t);
  await subscribe(sandbox, [row({ email: 'ada@shop.test' }), row({ email: 'ben@shop.test' })]);
  sandbox.account.addFault({ kind: '503', endpoint: 'get_profiles', times: 1 });
  await call(sandbox, 'GET', '/api/profiles?page[size]=5');
  sandbox.account.addFault({ kind: 'reset_after', endpoint: 'get_lists', times: 1 });
  await assert.rejects(call(sandbox, 'GET', '/api/lists'));
  sandbox.account.addFault({ kind: 'truncated', endpoint: 'get_accounts', times: 1 });
  await assert.rejects(async () => (await call(sandbox, 'GET', '/api/accounts')).text());
  await call(sandbox, 'GET', '/api/nothing');
  const log = await logOf(sandbox);
  assert.deepEqual(
    log.map(({ method, path, status, fault, profiles }) => [method, path, status, fault, profiles]),
    [
      ['POST', '/api/profile-subscription-bulk-create-jobs', 202, null, 2],
      ['GET', '/api/profiles?page[size]=5', 503, '503', 0],
      ['GET', '/api/lists', null, 'reset_after', 0],
      ['GET', '/api/accounts', 200, 'truncated', 0],
      ['GET', '/api/nothing', 404, null, 0],
    ],
  );
  assert.ok(log.every(({ at, ms }) => !Number.isNaN(Date.parse(at)) && ms >= 0));
  assert.ok(!JSON.stringify(log).includes('ada@shop.test'));
  assert.deepEqual(await logOf(sandbox, '?limit=2'), log.slice(-2));
  assert.deepEqual(await logOf(sandbox, '?limit=0'), []);
  assert.match(await refused(sandbox, 'GET', '/requests/log?limit=all'), /^400 limit must be/);
});

test('the time of a request includes the wait of its answer', async (t) => {
  const sandbox = await sandboxFor(t, { latency: { kind: 'constant', ms: 40 } });
  await call(sandbox, 'GET', '/api/lists');
  const [line] = await logOf(sandbox);
  assert.ok(line!.ms >= 39, `${line!.ms} ms`);
});

test('keeps the last thousand requests', () => {
  const trail = new RequestTrail();
  for (let i = 0; i < 3 * TRAIL_LENGTH + 7; i++) {
    trail.add(new Request(`http://sandbox.test/api/${i}`), 0, 1, 200);
  }
  const lines = trail.latest(5_000);
  assert.equal(lines.length, TRAIL_LENGTH);
  assert.equal(lines[0]!.path, `/api/${2 * TRAIL_LENGTH + 7}`);
  assert.equal(lines.at(-1)!.path, `/api/${3 * TRAIL_LENGTH + 6}`);
});

test('clears the counters, the log and the carried rows', async (t) => {
  const sandbox = await sandboxFor(t);
  await subscribe(sandbox, [row({ email: 'ada@shop.test' })]);
  assert.deepEqual(await ask(sandbox, 'DELETE', '/requests'), { endpoints: [] });
  assert.deepEqual(await ask(sandbox, 'GET', '/requests'), { endpoints: [] });
  assert.deepEqual(await logOf(sandbox), []);
  assert.deepEqual(await linesOf(sandbox, '/requests/subscribed'), []);
  await call(sandbox, 'GET', '/api/lists');
  const { endpoints } = await ask<{ endpoints: { operation: string }[] }>(
    sandbox,
    'GET',
    '/requests',
  );
  assert.deepEqual(
    endpoints.map(({ operation }) => operation),
    ['get_lists'],
  );
});

test('counts the deliveries of webhooks', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.deepEqual(await ask(sandbox, 'GET', '/webhooks/deliveries'), { webhooks: [] });
});
