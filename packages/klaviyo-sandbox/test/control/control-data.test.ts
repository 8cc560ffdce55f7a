import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageLine, TruthLine } from '../../src/index.js';
import { ask, control, linesOf, post, refused } from './control-support.js';
import { consentOf, get, HOUR, row, sandboxFor, subscribe } from '../support.js';

const email = 'ada@shop.test';
const phone_number = '+12015550123';

test('returns the true state of one person, by e-mail or phone', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
  sandbox.account.seed({ phone_number });
  const ada = await ask<TruthLine>(sandbox, 'GET', '/truth?email=ADA@shop.test');
  assert.equal(ada.subscriptions.email.marketing.consent, 'SUBSCRIBED');
  const phone = encodeURIComponent(phone_number);
  const other = await ask<TruthLine>(sandbox, 'GET', `/truth?phone_number=${phone}`);
  assert.deepEqual([other.email, other.phone_number], [null, phone_number]);
  assert.match(await refused(sandbox, 'GET', '/truth?email=x@shop.test'), /^404 .*x@shop\.test/);
});

test('lists messages, all or those to one address', async (t) => {
  const sandbox = await sandboxFor(t);
  const rows = [row({ email }), row({ phone_number }, ['sms'])];
  await subscribe(sandbox, rows, { list: 'Double' });
  sandbox.account.advance(HOUR);
  assert.equal((await linesOf(sandbox, '/messages')).length, 2);
  const messages = await linesOf<MessageLine>(sandbox, `/messages?to=${email}`);
  assert.deepEqual(
    messages.map(({ channel, to, count }) => [channel, to, count]),
    [['email', email, 1]],
  );
});

test('creates a segment, moves people in and out and deletes it', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const name of ['ada', 'ben']) sandbox.account.seed({ email: `${name}@shop.test` });
  const made = await post(sandbox, '/segments', { id: 'Fans', name: 'Fans' });
  assert.deepEqual([made.status, JSON.parse(made.text)], [201, { id: 'Fans', name: 'Fans' }]);
  sandbox.account.advance(HOUR);
  const members = async () => {
    sandbox.account.advance(HOUR);
    const { data } = await get(sandbox, '/api/segments/Fans/profiles');
    return data.map(({ attributes }) => attributes['email']);
  };
  const move = (body: object) => ask(sandbox, 'POST', '/segments/Fans/members', body);
  await move({ enter: [{ email }, { email: 'ben@shop.test' }] });
  assert.deepEqual((await members()).sort(), [email, 'ben@shop.test']);
  await move({ leave: [{ email }] });
  assert.deepEqual(await members(), ['ben@shop.test']);
  assert.match(
    await refused(sandbox, 'POST', '/segments/Fans/members', { add: [] }),
    /^400 there is no "add" here; known are enter, leave/,
  );
  await ask(sandbox, 'DELETE', '/segments/Fans');
  assert.match(await refused(sandbox, 'DELETE', '/segments/Fans'), /^400 .*"Fans"/);
});

test('a deactivated number loses SMS consent, with the carrier as the reason', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({
    email,
    phone_number,
    email_consent: 'SUBSCRIBED',
    sms_consent: 'SUBSCRIBED',
  });
  await ask(sandbox, 'POST', '/deactivate-phone', { phone_number });
  const consent = consentOf(sandbox, email);
  assert.deepEqual([consent?.email, consent?.sms], ['SUBSCRIBED', 'UNSUBSCRIBED']);
  const truth = sandbox.account.truthFor({ email });
  assert.equal(truth?.subscriptions.sms.marketing.method, 'CARRIER_DEACTIVATION');
});

for (const path of ['/click', '/unsubscribe', '/stop-sms', '/deactivate-phone']) {
  test(`${path} names an unknown field`, async (t) => {
    const sandbox = await sandboxFor(t);
    assert.match(await refused(sandbox, 'POST', path, { mail: email }), /^400 there is no "mail"/);
  });
}

test('answers an unknown call with the way to list all of them', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.match(await refused(sandbox, 'GET', '/thruth'), /^404 .*GET \/sandbox lists all of them/);
  const { calls } = await ask<{ calls: string[] }>(sandbox, 'GET', '');
  assert.ok(
    calls.includes('GET /sandbox/truth') && calls.includes('DELETE /sandbox/segments/{id}'),
  );
});

test('answers a body that is not a JSON object with a reason', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const body of ['', 'null', '7', '{']) {
    const { status, text } = await control(sandbox, 'POST', '/click', body);
    assert.equal(status, 400);
    assert.notEqual((JSON.parse(text) as { error: string }).error, '');
  }
});
