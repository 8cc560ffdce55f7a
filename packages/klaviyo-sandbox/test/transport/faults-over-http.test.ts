import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Fault, FaultKind, Sandbox } from '../../src/index.js';
import { call, consentOf, HOUR, refusal, row, sandboxFor, subscribe } from '../support.js';

const EMAIL = 'ada@shop.test';
const LISTS = '/api/lists';

async function withFault(t: TestContext, fault: Fault): Promise<Sandbox> {
  const sandbox = await sandboxFor(t);
  sandbox.account.addFault(fault);
  return sandbox;
}

const withHeader = (sandbox: Sandbox, text: string, path = LISTS) =>
  call(sandbox, 'GET', path, undefined, { 'x-sandbox-fault': text });

const isSubscribed = (sandbox: Sandbox): boolean => {
  sandbox.account.advance(HOUR);
  return consentOf(sandbox, EMAIL)?.email === 'SUBSCRIBED';
};

for (const [kind, status] of [
  ['500', 500],
  ['502', 502],
  ['503', 503],
  ['504', 504],
  ['html', 502],
] as const satisfies (readonly [FaultKind, number])[]) {
  for (const applied of [false, true]) {
    test(`${kind}: ${applied ? 'carried out anyway' : 'nothing is carried out'}`, async (t) => {
      const sandbox = await withFault(t, { kind, applied });
      const response = await subscribe(sandbox, [row({ email: EMAIL })], { list: 'Single' });
      assert.equal(response.status, status);
      assert.equal(response.headers.get('retry-after'), null);
      assert.equal(isSubscribed(sandbox), applied);
      assert.deepEqual(
        sandbox.account.requests().map(({ statuses }) => statuses),
        [{ [status]: 1 }],
      );
    });
  }
}

test('503 can have a retry-after', async (t) => {
  const sandbox = await withFault(t, { kind: '503', retryAfter: 7 });
  assert.equal((await call(sandbox, 'GET', LISTS)).headers.get('retry-after'), '7');
});

test('slow_body: the head is sent at once, the body over the given time', async (t) => {
  const sandbox = await withFault(t, { kind: 'slow_body', latencyMs: 200 });
  const whole = await (await call(sandbox, 'GET', LISTS)).clone().text();
  const started = performance.now();
  sandbox.account.addFault({ kind: 'slow_body', latencyMs: 200 });
  const response = await call(sandbox, 'GET', LISTS);
  const head = performance.now() - started;
  const body = await response.text();
  assert.equal(body.replaceAll(/"id":"[^"]+"/g, ''), whole.replaceAll(/"id":"[^"]+"/g, ''));
  assert.ok(performance.now() - started - head > 100, 'the body took its time');
});

test('slow_body does not change an answer without a body', async (t) => {
  const sandbox = await withFault(t, { kind: 'slow_body' });
  const response = await subscribe(sandbox, [row({ email: EMAIL })], { list: 'Single' });
  assert.deepEqual([response.status, await response.text()], [202, '']);
});

test('a header only hits its own request, before the queue', async (t) => {
  const sandbox = await withFault(t, { kind: '503' });
  assert.equal((await withHeader(sandbox, '500')).status, 500);
  assert.equal((await call(sandbox, 'GET', LISTS)).status, 503);
  assert.equal((await call(sandbox, 'GET', LISTS)).status, 200);
});

test('a header for another operation does nothing', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.equal((await withHeader(sandbox, '500:get_profiles')).status, 200);
  assert.equal((await withHeader(sandbox, '500:get_lists')).status, 500);
  assert.equal((await withHeader(sandbox, '500:GET /api/lists')).status, 500);
});

for (const [text, error] of [
  ['teapot', /kind must be one of/],
  ['500:times=2', /the fault of one request has no "times"/],
  ['500:share=0.5', /the fault of one request has no "share"/],
] as const) {
  test(`a header says what is wrong with "${text}"`, async (t) => {
    const sandbox = await sandboxFor(t);
    const response = await withHeader(sandbox, text);
    assert.equal(response.status, 400);
    assert.match(((await response.json()) as { error: string }).error, error);
  });
}

const subscribed = async (t: TestContext, ...emails: string[]): Promise<Sandbox> => {
  const sandbox = await sandboxFor(t);
  for (const email of emails) sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
  return sandbox;
};
const stateOf = (sandbox: Sandbox, email: string) => consentOf(sandbox, email)?.email;

for (const [moment, seen] of [
  ['before', 'UNSUBSCRIBED'],
  ['after', 'SUBSCRIBED'],
] as const) {
  test(`unsubscribe_person ${moment} the request is read`, async (t) => {
    const sandbox = await subscribed(t, EMAIL);
    sandbox.account.addFault({ kind: 'unsubscribe_person', email: EMAIL, moment });
    const path = `/api/profiles?additional-fields[profile]=subscriptions`;
    const response = await call(sandbox, 'GET', path);
    assert.match(await response.text(), new RegExp(`"consent":"${seen}"`));
    assert.equal(stateOf(sandbox, EMAIL), 'UNSUBSCRIBED');
  });
}

test('unsubscribe_person chooses somebody in the request, the same one every time', async (t) => {
  const emails = ['a@shop.test', 'b@shop.test', 'c@shop.test'];
  const chosen: string[] = [];
  for (let i = 0; i < 2; i++) {
    const sandbox = await subscribed(t, 'other@shop.test', ...emails);
    sandbox.account.addFault({ kind: 'unsubscribe_person' });
    const rows = ['new@shop.test', ...emails].map((email) => row({ email }));
    assert.equal((await subscribe(sandbox, rows, { list: 'Single' })).status, 202);
    const out = ['other@shop.test', ...emails].filter(
      (email) => stateOf(sandbox, email) === 'UNSUBSCRIBED',
    );
    assert.equal(out.length, 1);
    assert.ok(emails.includes(out[0]!));
    chosen.push(out[0]!);
  }
  assert.equal(chosen[0], chosen[1]);
});

test('unsubscribe_person finds the people in a filter, and people who only have a number', async (t) => {
  const sandbox = await subscribed(t, EMAIL);
  await call(sandbox, 'GET', `/api/profiles?filter=any(email,["${EMAIL}"])`, undefined, {
    'x-sandbox-fault': 'unsubscribe_person',
  });
  assert.equal(stateOf(sandbox, EMAIL), 'UNSUBSCRIBED');
  const phone_number = '+12015550123';
  sandbox.account.seed({ phone_number, sms_consent: 'SUBSCRIBED' });
  sandbox.account.addFault({ kind: 'unsubscribe_person' });
  await subscribe(sandbox, [row({ phone_number }, ['sms'])], { list: 'Single' });
  const { sms } = sandbox.account.truthFor({ phone_number })!.subscriptions;
  assert.equal(sms.marketing.consent, 'UNSUBSCRIBED');
});

test('unsubscribe_person does nothing if nobody in the request has a profile', async (t) => {
  const sandbox = await subscribed(t, EMAIL);
  sandbox.account.addFault({ kind: 'unsubscribe_person', times: 2 });
  const rows = [row({ email: 'new@shop.test' })];
  assert.equal((await subscribe(sandbox, rows, { list: 'Single' })).status, 202);
  assert.equal((await call(sandbox, 'GET', LISTS)).status, 200);
  assert.equal(stateOf(sandbox, EMAIL), 'SUBSCRIBED');
});

test('delete_list without an id deletes every list', async (t) => {
  const sandbox = await withFault(t, { kind: 'delete_list' });
  const { errors } = await refusal(await call(sandbox, 'GET', '/api/lists/Single'));
  assert.match(errors[0]![1]!, /A list with id `Single` does not exist/);
});
