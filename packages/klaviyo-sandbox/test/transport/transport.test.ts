import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Sandbox } from '../../src/index.js';
import {
  call,
  headersOf,
  refusal,
  row,
  sandboxFor,
  subscribe,
  SUBSCRIBE,
  subscribeBody,
  type ErrorBody,
} from '../support.js';

const BETA = '/api/text-messaging-senders';

interface Refused {
  name: string;
  method?: string;
  path?: string;
  /** '' leaves a header out. */
  headers?: Record<string, string>;
  status: number;
  code: string;
  title?: string;
  detail: string | RegExp;
  place: string;
  /** Whether the error is the web framework's: without `links` and `meta`. */
  bare?: boolean;
}

const MEGABYTES = 'x'.repeat(5_000_001);
const NOT_PROVIDED = 'Authentication credentials were not provided.';

const REFUSED: Refused[] = [
  {
    name: 'a wrong key',
    headers: { authorization: 'Klaviyo-API-Key pk_other' },
    status: 401,
    code: 'authentication_failed',
    title: 'Incorrect authentication credentials.',
    detail: 'Incorrect authentication credentials.',
    place: '/data/',
    bare: true,
  },
  {
    name: 'no key',
    headers: { authorization: '' },
    status: 401,
    code: 'not_authenticated',
    title: NOT_PROVIDED,
    detail: 'Missing or invalid private key.',
    place: '/data/',
    bare: true,
  },
  {
    name: 'a scheme without a key',
    headers: { authorization: 'Klaviyo-API-Key ' },
    status: 401,
    code: 'not_authenticated',
    detail: 'Missing or invalid private key.',
    place: '/data/',
    bare: true,
  },
  {
    name: 'another scheme',
    headers: { authorization: 'Bearer pk_sandbox' },
    status: 401,
    code: 'not_authenticated',
    title: NOT_PROVIDED,
    detail: /Please use Klaviyo-API-Key/,
    place: '/data/',
    bare: true,
  },
  {
    name: 'no revision',
    headers: { revision: '' },
    status: 400,
    code: 'invalid',
    detail: /revision header is required.+2026-10-15/,
    place: 'revision',
  },
  {
    name: 'a malformed revision',
    headers: { revision: 'v2026-07-15' },
    status: 400,
    code: 'invalid',
    detail: /'v2026-07-15' is not a valid revision/,
    place: 'revision',
  },
  {
    name: 'a day that there is not',
    headers: { revision: '2026-13-45' },
    status: 400,
    code: 'invalid',
    detail: /is not a valid revision/,
    place: 'revision',
  },
  {
    name: 'a revision of the future',
    headers: { revision: '2199-01-15' },
    status: 404,
    code: 'not_found',
    detail: 'Unable to specify a future revision date',
    place: '/data/',
    bare: true,
  },
  {
    name: 'a retired revision',
    headers: { revision: '2019-01-01' },
    status: 410,
    code: 'gone',
    detail: /2019-01-01 is no longer supported/,
    place: '/data/',
    bare: true,
  },
  {
    name: 'an older revision',
    headers: { revision: '2026-07-14' },
    status: 404,
    code: 'not_found',
    detail: /before the earliest available revision/,
    place: '/data/',
    bare: true,
  },
  {
    name: 'the stable revision on a beta operation',
    method: 'GET',
    path: BETA,
    status: 404,
    code: 'not_found',
    detail: 'No valid revisions found for method',
    place: '/data/',
    bare: true,
  },
  {
    name: 'a form as content type',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    status: 415,
    code: 'unsupported_media_type',
    detail: 'Unsupported media type "application/x-www-form-urlencoded" in request.',
    place: '/data/',
    bare: true,
  },
  {
    name: 'an unknown content encoding',
    headers: { 'content-encoding': 'zstd' },
    status: 415,
    code: 'unsupported_media_type',
    detail: /zstd/,
    place: '/data/',
    bare: true,
  },
  {
    name: 'an unknown path',
    path: '/api/campaigns',
    status: 404,
    code: 'not_found',
    title: 'Not found.',
    detail: /\/api\/campaigns/,
    place: '/data/',
    bare: true,
  },
  {
    name: 'a method that the path does not have',
    method: 'GET',
    status: 405,
    code: 'method_not_allowed',
    detail: 'Method "GET" not allowed.',
    place: '/data/',
    bare: true,
  },
];
for (const { name, method = 'POST', path = SUBSCRIBE, headers = {}, bare, ...wanted } of REFUSED) {
  test(`refuses ${name} with ${wanted.status}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const body = method === 'POST' ? {} : undefined;
    const response = await call(sandbox, method, path, body, headers);
    assert.equal(response.status, wanted.status);
    assert.equal(response.headers.get('content-type'), 'application/vnd.api+json');
    assert.equal(response.headers.get('ratelimit-limit') !== null, wanted.status === 415);
    const [error] = ((await response.json()) as ErrorBody).errors;
    assert.ok(error !== undefined);
    assert.equal(error.status, wanted.status);
    assert.equal(error.code, wanted.code);
    if (wanted.title !== undefined) assert.equal(error.title, wanted.title);
    if (typeof wanted.detail === 'string') assert.equal(error.detail, wanted.detail);
    else assert.match(error.detail, wanted.detail);
    assert.equal(error.source.pointer ?? error.source.parameter, wanted.place);
    const members = ['id', 'status', 'code', 'title', 'detail', 'source'];
    assert.deepEqual(Object.keys(error), bare ? members : [...members, 'links', 'meta']);
  });
}

test('refuses a key without the scopes of the operation, and lets it read what its scopes allow', async (t) => {
  const sandbox = await sandboxFor(t, { scopes: ['profiles:read'] });
  const refused = await subscribe(sandbox, [row({ email: 'ada@shop.test' })]);
  assert.equal(refused.status, 403);
  assert.match(
    (await refusal(refused)).errors[0]![1]!,
    /lists:write, profiles:write, subscriptions:write/,
  );
  assert.equal((await call(sandbox, 'GET', '/api/profiles')).status, 200);
});

for (const [position, status] of [
  ['refused', 400],
  ['falls_back', 200],
] as const) {
  test(`a revision between the newest known one and today is ${position}`, async (t) => {
    const sandbox = await sandboxFor(t, { switches: { unlistedRevision: position } });
    const response = await call(sandbox, 'GET', '/api/lists', undefined, {
      revision: '2026-07-16',
    });
    assert.equal(response.status, status);
    const served = response.headers.get('x-klaviyo-api-revision');
    assert.equal(served, status === 200 ? '2026-07-15' : null);
  });
}

test('serves beta and stable operations with the beta revision', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const path of [BETA, '/api/lists']) {
    const beta = { revision: '2026-07-15.pre' };
    const response = await call(sandbox, 'GET', path, undefined, beta);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-klaviyo-api-revision'), '2026-07-15.pre');
  }
});

test('accepts application/json, any case and charset, and a trailing slash', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const type of ['application/json', 'Application/Vnd.API+JSON; charset=utf-8']) {
    const response = await call(sandbox, 'POST', `${SUBSCRIBE}/`, {}, { 'content-type': type });
    assert.equal((await refusal(response)).errors[0]![0], '/data');
  }
});

test('returns the account, the revision, and the methods of the path', async (t) => {
  const sandbox = await sandboxFor(t);
  const { headers } = await call(sandbox, 'GET', '/api/lists');
  assert.equal(headers.get('cid'), 'SbxAcc');
  assert.equal(headers.get('x-klaviyo-api-revision'), '2026-07-15');
  assert.match(headers.get('x-klaviyo-req-id') ?? '', /^[0-9a-f-]{36}$/);
  assert.equal(headers.get('allow'), 'GET, POST, HEAD, OPTIONS');
  assert.equal(headers.get('content-language'), 'en-us');
});

test('HEAD is GET without the body, and OPTIONS lists the methods', async (t) => {
  const sandbox = await sandboxFor(t);
  const head = await call(sandbox, 'HEAD', '/api/lists');
  assert.deepEqual([head.status, await head.text()], [200, '']);
  assert.equal(head.headers.get('ratelimit-remaining'), '74');
  const options = await call(sandbox, 'OPTIONS', '/api/lists/Single');
  assert.deepEqual([options.status, await options.text()], [200, '']);
  assert.match(options.headers.get('allow') ?? '', /GET.*HEAD, OPTIONS$/);
  const refused = await call(sandbox, 'PUT', '/api/lists', {});
  assert.equal(refused.headers.get('allow'), 'GET, POST, HEAD, OPTIONS');
});

async function post(sandbox: Sandbox, body: Uint8Array | string, encoding?: string) {
  return fetch(new URL(SUBSCRIBE, sandbox.url), {
    method: 'POST',
    headers: {
      ...headersOf(sandbox),
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    },
    body,
  });
}

for (const [encoding, compress] of [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
] as const) {
  test(`reads a body compressed with ${encoding}, and counts it decompressed`, async (t) => {
    const sandbox = await sandboxFor(t);
    const body = JSON.stringify(subscribeBody([row({ email: 'ada@shop.test' })]));
    assert.equal((await post(sandbox, compress(body), encoding)).status, 202);
    assert.equal((await post(sandbox, compress(MEGABYTES), encoding)).status, 413);
    assert.equal((await post(sandbox, 'not compressed', encoding)).status, 400);
  });
}

test('refuses more than 5 MB, whether the length is announced or not', async (t) => {
  const sandbox = await sandboxFor(t);
  const announced = await post(sandbox, MEGABYTES);
  assert.equal((await refusal(announced)).status, 413);
  const url = new URL(SUBSCRIBE, sandbox.url);
  const sent = request(url, { method: 'POST', headers: headersOf(sandbox) });
  sent.on('error', () => undefined);
  sent.write(MEGABYTES);
  const answered = once(sent, 'response');
  sent.end();
  const [response] = (await answered) as [{ statusCode: number }];
  assert.equal(response.statusCode, 413);
});

for (const [name, body, status, detail] of [
  ['no JSON', '{"data": }', 400, /^JSON parse error/],
  ['half a document', '{"data"', 400, /^JSON parse error/],
  ['nothing', '', 400, /'data' is a required field/],
  ['null', 'null', 400, /'data' is a required field/],
] as const) {
  test(`says what is wrong with a body that is ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const refused = await refusal(await post(sandbox, body));
    assert.equal(refused.status, status);
    assert.match(refused.errors[0]![1]!, detail);
  });
}
