import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Fault, Sandbox, TruthLine } from '../../src/index.js';
import { control, linesOf, post } from './control-support.js';
import { call, consentOf, HOUR, refusal, row, sandboxFor, subscribe } from '../support.js';

const email = 'ada@shop.test';
const phone_number = '+12015550123';

test('seeds profiles from NDJSON and returns the true state of each', async (t) => {
  const sandbox = await sandboxFor(t);
  const seed = [
    { email, email_consent: 'UNSUBSCRIBED', consent_timestamp: '2020-02-02T00:00:00Z' },
    {
      email: 'bea@shop.test',
      phone_number,
      sms_consent: 'SUBSCRIBED',
      suppressions: [
        'HARD_BOUNCE',
        { reason: 'USER_SUPPRESSED', timestamp: '2021-01-01T00:00:00Z' },
      ],
      lists: ['Single', { id: 'Double', joined_group_at: '2019-01-01T00:00:00Z' }],
      consent_timestamp: '2020-02-02T00:00:00Z',
    },
  ];
  const seeded = await control(
    sandbox,
    'POST',
    '/seed',
    `${seed.map((line) => JSON.stringify(line)).join('\n')}\n\n`,
  );
  assert.deepEqual(JSON.parse(seeded.text), { profiles: 2 });
  const [ada, bea] = await linesOf<TruthLine>(sandbox, '/truth');
  assert.equal(ada?.email, email);
  assert.deepEqual(ada.subscriptions.email.marketing.suppression, [
    { reason: 'UNSUBSCRIBE', timestamp: '2020-02-02T00:00:00+00:00' },
  ]);
  assert.deepEqual(bea?.lists, [
    { id: 'Single', joined_group_at: '2020-02-02T00:00:00+00:00' },
    { id: 'Double', joined_group_at: '2019-01-01T00:00:00+00:00' },
  ]);
  assert.deepEqual(
    bea.subscriptions.email.marketing.suppression.map(({ reason }) => reason),
    ['HARD_BOUNCE', 'USER_SUPPRESSED'],
  );
});

const BAD_SEEDS: [string, string, RegExp][] = [
  ['no JSON', 'email', /^line 2: /],
  [
    'an unknown field',
    '{"email":"a@shop.test","mail":1}',
    /^line 2: unknown field "mail"; known are email,/,
  ],
  ['no identifier', '{"email_consent":"SUBSCRIBED"}', /^line 2: a profile needs/],
  [
    'an unknown consent',
    '{"email":"a@shop.test","email_consent":"YES"}',
    /^line 2: email_consent must be one of/,
  ],
  [
    'an unknown list',
    '{"email":"a@shop.test","lists":["Nowhere"]}',
    /^line 2: lists: no list "Nowhere"/,
  ],
  [
    'a local date',
    '{"email":"a@shop.test","created":"2020-01-01"}',
    /^line 2: created must be an RFC 3339/,
  ],
];
for (const [name, line, error] of BAD_SEEDS) {
  test(`refuses a seed with ${name} and says in which line`, async (t) => {
    const sandbox = await sandboxFor(t);
    const { status, text } = await control(sandbox, 'POST', '/seed', `\n${line}\n`);
    assert.equal(status, 400);
    assert.match((JSON.parse(text) as { error: string }).error, error);
  });
}

test('counts requests, and keeps everyone in an accepted subscribe', async (t) => {
  const sandbox = await sandboxFor(t);
  const rows = [
    row({ email, phone_number: '12' }, ['email', 'sms']),
    row({ phone_number }, ['sms']),
  ];
  await subscribe(sandbox, rows, { list: 'Double' });
  await subscribe(sandbox, [row({ email: 'bad' })]);
  await call(sandbox, 'GET', '/api/profiles');
  const { text } = await control(sandbox, 'GET', '/requests');
  const { endpoints } = JSON.parse(text) as { endpoints: Record<string, unknown>[] };
  assert.deepEqual(
    endpoints.map(({ operation, statuses, profiles }) => [operation, statuses, profiles]),
    [
      ['bulk_subscribe_profiles', { 202: 1, 400: 1 }, 2],
      ['get_profiles', { 200: 1 }, 0],
    ],
  );
  const carried = await linesOf<Record<string, unknown>>(sandbox, '/requests/subscribed');
  assert.deepEqual(
    carried.map(({ sent_at, ...rest }) => ({ ...rest, dated: typeof sent_at })),
    [
      { email, phone_number: '12', channels: ['email', 'sms'] },
      { email: null, phone_number, channels: ['sms'] },
    ].map((line) => ({
      ...line,
      list_id: 'Double',
      historical_import: false,
      custom_source: null,
      dated: 'string',
    })),
  );
});

test('every call about a person is reachable over HTTP', async (t) => {
  const sandbox = await sandboxFor(t);
  await post(sandbox, '/lists', { id: 'More', name: 'More', opt_in_process: 'double_opt_in' });
  await subscribe(sandbox, [row({ email, phone_number }, ['email', 'sms'])], { list: 'More' });
  await post(sandbox, '/clock/advance', { ms: HOUR });
  assert.equal((await linesOf(sandbox, '/messages')).length, 2);
  const clicked = await post(sandbox, '/click', { email, phone_number });
  assert.deepEqual(JSON.parse(clicked.text), { clicked: 2 });
  await post(sandbox, '/clock/advance', { ms: HOUR });
  assert.deepEqual(consentOf(sandbox, email), {
    email: 'SUBSCRIBED',
    sms: 'SUBSCRIBED',
    lists: ['More'],
  });
  assert.equal((await post(sandbox, '/unsubscribe', { email })).status, 200);
  assert.equal((await post(sandbox, '/stop-sms', { phone_number })).status, 200);
  assert.equal(consentOf(sandbox, email)?.email, 'UNSUBSCRIBED');
  assert.equal(consentOf(sandbox, email)?.sms, 'UNSUBSCRIBED');
});

const BAD_CALLS: [string, unknown, RegExp][] = [
  ['/unsubscribe', { email: 'nobody@shop.test' }, /no profile has the email/],
  ['/stop-sms', {}, /phone_number is missing/],
  ['/clicks', { share: 2 }, /share must be a number from 0 to 1/],
  ['/clock/advance', {}, /ms must be a number/],
  ['/lists', { id: 'Single', name: 'Again' }, /list "Single" exists/],
  ['/faults', { kind: 'flood', times: 1 }, /kind must be one of/],
  ['/faults', { kind: '500', times: 0 }, /times must be/],
  ['/faults', { kind: '500', times: 1, endpoint: 'get_profile_s' }, /no operation "get_profile_s"/],
  ['/clicks', null, /must be a JSON object/],
];
for (const [path, body, error] of BAD_CALLS) {
  test(`says what is wrong with ${path} ${JSON.stringify(body)}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const { status, text } = await post(sandbox, path, body);
    assert.equal(status, 400);
    assert.match((JSON.parse(text) as { error: string }).error, error);
  });
}

async function withFault(t: TestContext, fault: Omit<Fault, 'times'>): Promise<Sandbox> {
  const sandbox = await sandboxFor(t);
  assert.equal((await post(sandbox, '/faults', { times: 1, ...fault })).status, 201);
  return sandbox;
}

/** Whether a subscribe call with the fault was carried out. */
function wasCarriedOut(sandbox: Sandbox): boolean {
  sandbox.account.advance(HOUR);
  return consentOf(sandbox, email) !== undefined;
}

for (const kind of ['500', '503'] as const) {
  test(`answers ${kind} without carrying anything out, once`, async (t) => {
    const sandbox = await withFault(t, { kind, endpoint: 'bulk_subscribe_profiles' });
    assert.equal((await call(sandbox, 'GET', '/api/profiles')).status, 200, 'not this endpoint');
    const response = await subscribe(sandbox, [row({ email })], { list: 'Single' });
    assert.equal((await refusal(response)).status, Number(kind));
    assert.equal(wasCarriedOut(sandbox), false);
    assert.equal((await subscribe(sandbox, [row({ email })], { list: 'Single' })).status, 202);
  });
}

for (const kind of ['502', 'html'] as const) {
  test(`${kind}: a proxy answers with a page`, async (t) => {
    const sandbox = await withFault(t, { kind });
    const response = await subscribe(sandbox, [row({ email })], { list: 'Single' });
    assert.equal(response.status, 502);
    assert.match(await response.text(), /^<html>/);
    assert.equal(wasCarriedOut(sandbox), false);
  });
}

test('429 with the requested wait', async (t) => {
  const sandbox = await withFault(t, { kind: '429', retryAfter: 7 });
  const response = await call(sandbox, 'GET', '/api/profiles');
  assert.equal(response.headers.get('retry-after'), '7');
  const { errors } = await refusal(response);
  assert.equal(errors[0]![1], 'Request was throttled. Expected available in 7 seconds.');
});

for (const [kind, carriedOut] of [
  ['reset_before', false],
  ['reset_after', true],
  ['truncated', true],
] as const) {
  test(`${kind}: the connection is cut and the call was ${carriedOut ? '' : 'not '}carried out`, async (t) => {
    const sandbox = await withFault(t, { kind });
    await assert.rejects(async () => {
      const response = await subscribe(sandbox, [row({ email })], { list: 'Single' });
      await response.text();
    }, TypeError);
    assert.equal(wasCarriedOut(sandbox), carriedOut);
  });
}

test('slow: the answer is late and correct', async (t) => {
  const sandbox = await withFault(t, { kind: 'slow', latencyMs: 80 });
  const started = performance.now();
  assert.equal((await call(sandbox, 'GET', '/api/profiles')).status, 200);
  assert.ok(performance.now() - started >= 79);
});

test('revoke_key: refused until the faults are cleared', async (t) => {
  const sandbox = await withFault(t, { kind: 'revoke_key', after: 1 });
  assert.equal((await call(sandbox, 'GET', '/api/profiles')).status, 200);
  assert.equal((await call(sandbox, 'GET', '/api/profiles')).status, 401);
  assert.equal((await call(sandbox, 'GET', '/api/profiles')).status, 401);
  await control(sandbox, 'DELETE', '/faults');
  assert.equal((await call(sandbox, 'GET', '/api/profiles')).status, 200);
});

test('delete_list: the list is deleted before the request is read', async (t) => {
  const sandbox = await withFault(t, { kind: 'delete_list', listId: 'Single' });
  const { errors } = await refusal(await subscribe(sandbox, [row({ email })], { list: 'Single' }));
  assert.deepEqual(errors, [['/data/relationships/list/data/id', 'List not found with id Single']]);
  assert.equal((await call(sandbox, 'GET', '/api/lists/Double')).status, 200);
});

test('refuses an option that is out of its range', async (t) => {
  await assert.rejects(sandboxFor(t, { speed: 0 }), /speed must be more than 0/);
  await assert.rejects(sandboxFor(t, { clicks: { share: 2, delayMs: [1, 2] } }), /clicks.share/);
});

test('applies changes by itself, on the wall clock', async (t) => {
  const sandbox = await sandboxFor(t, { delays: 'fast' });
  await subscribe(sandbox, [row({ email })], { list: 'Single' });
  const deadline = Date.now() + 10_000;
  const { profiles } = sandbox.account;
  while (profiles.size === 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(profiles.size, 1);
});
