import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ExchangeLog } from '../../src/exchanges.js';
import { call, row, sandboxFor, subscribe, SUBSCRIBE, subscribeBody } from '../support.js';

function folderFor(t: TestContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'consentry-exchanges-'));
  t.after(() => {
    rmSync(parent, { recursive: true });
  });
  return join(parent, 'log');
}

const linesOf = (folder: string): Record<string, unknown>[] =>
  readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );

test('records every exchange as sent, without the key', async (t) => {
  const exchanges = folderFor(t);
  const sandbox = await sandboxFor(t, { exchanges });
  const read = await call(sandbox, 'GET', '/api/lists?page[size]=1', undefined, { cookie: 'a=b' });
  const lists = await read.json();
  await subscribe(sandbox, [row({ email: 'ada@shop.test' })], { list: 'Single' });
  await call(sandbox, 'GET', '/api/nowhere');
  await fetch(new URL('/sandbox/truth', sandbox.url));
  const [first, second, third, ...more] = linesOf(exchanges);
  assert.deepEqual(more, [], 'the control surface is no part of the API');
  assert.equal(first?.['operation'], 'get_lists');
  assert.equal(first['method'], 'GET');
  assert.equal(first['path'], '/api/lists');
  assert.deepEqual(first['query'], [['page[size]', '1']]);
  assert.equal(first['status'], 200);
  assert.deepEqual(first['response_body'], lists);
  assert.equal(first['fault'], null);
  const headers = first['request_headers'] as Record<string, string>;
  assert.equal(headers['revision'], '2026-07-15');
  assert.equal(headers['authorization'], undefined);
  assert.equal(headers['cookie'], undefined);
  assert.ok(!JSON.stringify(linesOf(exchanges)).includes(sandbox.apiKey));
  const sent = subscribeBody([row({ email: 'ada@shop.test' })], { list: 'Single' });
  assert.deepEqual(second?.['request_body'], sent);
  assert.deepEqual([second['status'], second['response_body']], [202, null]);
  const answered = second['response_headers'] as Record<string, string>;
  assert.equal(answered['ratelimit-limit'], '75, 75;w=1, 750;w=60');
  assert.deepEqual([third?.['operation'], third?.['status']], [null, 404]);
});

test('writes to the folder named in the environment', async (t) => {
  const folder = folderFor(t);
  const name = 'KLAVIYO_SANDBOX_EXCHANGES';
  const before = process.env[name];
  t.after(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
  process.env[name] = folder;
  const sandbox = await sandboxFor(t);
  process.env[name] = '';
  const silent = await sandboxFor(t);
  await call(sandbox, 'GET', '/api/lists');
  assert.equal((await call(silent, 'GET', '/api/profiles')).status, 200);
  assert.deepEqual(
    linesOf(folder).map(({ operation }) => operation),
    ['get_lists'],
  );
});

test('records the fault that changed an answer, or that there was none', async (t) => {
  const exchanges = folderFor(t);
  const sandbox = await sandboxFor(t, { exchanges });
  for (const kind of ['reset_before', 'reset_after', '502', '500'] as const) {
    sandbox.account.addFault({ kind });
    await call(sandbox, 'POST', SUBSCRIBE, subscribeBody([row({ email: 'ada@shop.test' })])).catch(
      () => undefined,
    );
  }
  assert.deepEqual(
    linesOf(exchanges).map(({ fault, status, response_body: body }) => [
      fault,
      status,
      body === null ? null : 'JSON',
    ]),
    [
      ['reset_before', null, null],
      ['reset_after', null, null],
      ['502', 502, null],
      ['500', 500, 'JSON'],
    ],
  );
});

test('each sandbox writes its own file, and one without requests writes none', async (t) => {
  const exchanges = folderFor(t);
  const [one, other] = [
    await sandboxFor(t, { exchanges }),
    await sandboxFor(t, { exchanges }),
    await sandboxFor(t, { exchanges }),
  ];
  assert.equal(existsSync(exchanges), false);
  await call(one, 'GET', '/api/lists');
  await call(other, 'GET', '/api/lists');
  const names = readdirSync(exchanges);
  assert.equal(names.length, 2);
  for (const name of names) assert.match(name, new RegExp(`^${process.pid}-\\d+\\.ndjson$`));
});

test('a stopped sandbox opens no file for requests that it still answers', (t) => {
  const folder = folderFor(t);
  const log = new ExchangeLog(folder);
  log.close();
  log.add({
    operation: 'get_lists',
    method: 'GET',
    path: '/api/lists',
    query: [],
    requestHeaders: {},
    requestBody: undefined,
    status: 200,
    responseHeaders: {},
    responseBody: null,
    fault: null,
  });
  assert.equal(existsSync(folder), false);
});
