import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_SWITCHES, DELAYS, parseSwitch } from '../../src/index.js';
import { changeableSettings } from '../../src/settings/settings-change.js';
import { ask, refused } from './control-support.js';
import { call, consentOf, HOUR, row, sandboxFor, subscribe } from '../support.js';

const email = 'ada@shop.test';

test('shows what can be changed', async (t) => {
  const sandbox = await sandboxFor(t, { switches: { events: 'late' }, delays: 'fast' });
  assert.deepEqual(await ask(sandbox, 'GET', '/settings'), {
    switches: { ...DEFAULT_SWITCHES, events: 'late' },
    delays: DELAYS.fast,
    clicks: { share: 0, smsShare: 0 },
    filteredDomains: [],
    scopes: null,
  });
});

test('a switch that is changed at run time counts from then on', async (t) => {
  const sandbox = await sandboxFor(t);
  const twice = () => subscribe(sandbox, [row({ email }), row({ email })]);
  assert.equal((await twice()).status, 202);
  const change = { switches: { duplicateRows: 'reject', errorsPerAnswer: 1 } };
  const now = await ask<{ switches: object }>(sandbox, 'PATCH', '/settings', change);
  assert.deepEqual(now.switches, { ...DEFAULT_SWITCHES, ...change.switches });
  assert.equal((await twice()).status, 400);
});

test('delays, domains, scopes and clicks change as well', async (t) => {
  const sandbox = await sandboxFor(t);
  await ask(sandbox, 'PATCH', '/settings', {
    delays: { subscribeLive: [0, 0] },
    filteredDomains: ['Gone.test'],
    scopes: ['subscriptions:write', 'lists:write', 'profiles:write'],
    clicks: { share: 1 },
  });
  const rows = [row({ email }), row({ email: 'x@gone.test' })];
  await subscribe(sandbox, rows, { list: 'Single' });
  sandbox.account.advance(0);
  assert.equal(consentOf(sandbox, email)?.email, 'SUBSCRIBED');
  assert.equal(consentOf(sandbox, 'x@gone.test'), undefined);
  assert.equal((await call(sandbox, 'GET', '/api/lists')).status, 403);
  await subscribe(sandbox, [row({ email: 'ben@shop.test' })], { list: 'Double' });
  sandbox.account.advance(HOUR);
  assert.equal(consentOf(sandbox, 'ben@shop.test')?.email, 'SUBSCRIBED');
  await ask(sandbox, 'PATCH', '/settings', { scopes: null, delays: 'klaviyo' });
  assert.equal((await call(sandbox, 'GET', '/api/lists')).status, 200);
  assert.deepEqual(sandbox.account.settings.delays, DELAYS.klaviyo);
});

test('shows the share of clicks, whichever call set it', async (t) => {
  const sandbox = await sandboxFor(t);
  await ask(sandbox, 'POST', '/clicks', { share: 0.5, smsShare: 0.25 });
  const { clicks } = await ask<{ clicks: object }>(sandbox, 'GET', '/settings');
  assert.deepEqual(clicks, { share: 0.5, smsShare: 0.25 });
});

test('changes of one sandbox do not affect another', async (t) => {
  const usual = structuredClone(DELAYS.klaviyo);
  const [one, other] = [await sandboxFor(t), await sandboxFor(t)];
  await ask(one, 'PATCH', '/settings', {
    delays: { export: [1, 2] },
    switches: { events: 'late' },
  });
  assert.deepEqual(other.account.settings.delays, usual);
  assert.deepEqual(other.account.settings.switches, DEFAULT_SWITCHES);
});

const BAD: [unknown, RegExp][] = [
  [{ switch: {} }, /"switch" cannot be changed; what can is switches/],
  [{ switches: { event: 'late' } }, /no switch "event"; known are errorsPerAnswer/],
  [{ switches: { events: 'now' } }, /events can be at_once or late; got "now"/],
  [{ switches: { errorsPerAnswer: 0 } }, /can be all or a whole number from 1; got 0/],
  [{ delays: 'slow' }, /delays must be klaviyo, fast or an object/],
  [{ delays: { sleep: [1, 2] } }, /no delay "sleep"; known are subscribeLive/],
  [{ delays: { export: [2, 1] } }, /delays\.export must be \[shortest, longest\]/],
  [{ clicks: { share: 2 } }, /clicks\.share must be a number from 0 to 1/],
  [{ filteredDomains: 'x.test' }, /filteredDomains must be an array/],
  [{ scopes: [1] }, /scopes must be an array/],
];
for (const [change, words] of BAD) {
  test(`refuses ${JSON.stringify(change)} and changes nothing`, async (t) => {
    const sandbox = await sandboxFor(t);
    const before = structuredClone(changeableSettings(sandbox.account.settings));
    const body = { switches: { events: 'late' }, ...(change as object) };
    assert.match(await refused(sandbox, 'PATCH', '/settings', body), words);
    assert.deepEqual(changeableSettings(sandbox.account.settings), before);
  });
}

test('reads switches as text', () => {
  assert.deepEqual(parseSwitch('events=late'), { events: 'late' });
  assert.deepEqual(parseSwitch('unknownIdOnGet=400'), { unknownIdOnGet: 400 });
  assert.deepEqual(parseSwitch('repeatDoubleOptInMessage=false'), {
    repeatDoubleOptInMessage: false,
  });
  assert.deepEqual(parseSwitch('errorsPerAnswer=3'), { errorsPerAnswer: 3 });
  assert.throws(() => parseSwitch('events'), /write a switch as name=value/);
  assert.throws(() => parseSwitch('events=0'), /at_once or late; got 0/);
  assert.throws(() => parseSwitch('errorsPerAnswer=0'), /all or a whole number from 1; got 0/);
});

test('refuses unknown switches and delays at the start', async (t) => {
  const switches = { evens: 'late' } as object;
  await assert.rejects(sandboxFor(t, { switches }), /no switch "evens"/);
  const delays = { sleep: [1, 2] } as object;
  await assert.rejects(sandboxFor(t, { delays }), /no delay "sleep"/);
});
