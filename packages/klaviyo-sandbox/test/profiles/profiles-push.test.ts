import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../../src/index.js';
import { call, get, refusal, sandboxFor, type PageBody } from '../support.js';
import { created, errorOf } from './profiles.js';

const TOKEN = { token: 'tok-1', platform: 'ios', vendor: 'apns' };

function register(sandbox: Sandbox, token: object, profile: object, id?: string) {
  const data = { type: 'profile', ...(id === undefined ? {} : { id }), attributes: profile };
  const attributes = { ...TOKEN, ...token, profile: { data } };
  return call(sandbox, 'POST', '/api/push-tokens', { data: { type: 'push-token', attributes } });
}

const consentOf = (sandbox: Sandbox, email: string) =>
  sandbox.account.truthFor({ email })!.subscriptions.mobile_push.marketing;

test('a token creates its profile, shows as included, and subscribes to push', async (t) => {
  const sandbox = await sandboxFor(t);
  const device = { device_model: 'Phone 1', os_name: 'ios', environment: 'release' };
  const response = await register(
    sandbox,
    { device_metadata: device },
    { email: 'a@shop.test', first_name: 'Ada' },
  );
  assert.deepEqual([response.status, await response.text()], [202, '']);
  const page = await get<PageBody & { included: { attributes: Record<string, unknown> }[] }>(
    sandbox,
    '/api/profiles?include=push-tokens',
  );
  assert.equal(page.data[0]!.attributes['first_name'], 'Ada');
  const {
    metadata,
    created: made,
    recorded_date: recorded,
    ...shown
  } = page.included[0]!.attributes;
  assert.deepEqual(shown, {
    token: 'tok-1',
    platform: 'ios',
    vendor: 'APNs',
    enablement_status: 'AUTHORIZED',
    background: 'AVAILABLE',
  });
  assert.equal(made, recorded);
  const { device_model, os_version } = metadata as Record<string, unknown>;
  assert.deepEqual([device_model, os_version], ['Phone 1', null]);
  assert.deepEqual(
    [
      consentOf(sandbox, 'a@shop.test').consent,
      consentOf(sandbox, 'a@shop.test').can_receive_push_marketing,
    ],
    ['SUBSCRIBED', true],
  );
});

test('consent to push follows the devices’ permissions', async (t) => {
  const sandbox = await sandboxFor(t);
  const person = { email: 'a@shop.test' };
  const after = async (token: string, enablement_status: string) => {
    await register(sandbox, { token, enablement_status }, person);
    return consentOf(sandbox, 'a@shop.test').consent;
  };
  assert.equal(await after('one', 'NOT_DETERMINED'), 'NEVER_SUBSCRIBED');
  assert.equal(await after('one', 'PROVISIONAL'), 'SUBSCRIBED');
  assert.equal(await after('two', 'DENIED'), 'SUBSCRIBED');
  assert.equal(await after('one', 'UNAUTHORIZED'), 'UNSUBSCRIBED');
  assert.equal(await after('two', 'AUTHORIZED'), 'SUBSCRIBED');
  assert.equal(await after('one', 'NOT_DETERMINED'), 'SUBSCRIBED');
  assert.equal(await after('two', 'DENIED'), 'SUBSCRIBED', 'not every device refuses');
});

test('a token moves to the current owner of the device, who is found by it', async (t) => {
  const sandbox = await sandboxFor(t);
  const { account } = sandbox;
  const id = await created(sandbox, { email: 'b@shop.test' });
  await register(sandbox, {}, { email: 'a@shop.test' });
  await register(sandbox, {}, {}, id);
  const b = account.profiles.withId(id)!;
  assert.equal(account.profiles.withPushToken('tok-1'), b);
  const a = account.profiles.withEmail('a@shop.test')!;
  assert.deepEqual(account.profiles.pushTokens.of(a), []);
  for (const index of [a, b]) account.lists.get('Single')!.join(index, Date.now());
  const filter = 'any(push_token,["tok-1"])';
  const page = await get(
    sandbox,
    `/api/lists/Single/profiles?filter=${encodeURIComponent(filter)}`,
  );
  assert.deepEqual(
    page.data.map((profile) => profile.id),
    [id],
  );
});

const AT = '/data/attributes';
const PROFILE = `${AT}/profile/data/attributes`;
const REFUSED: [string, object, object, string][] = [
  ['no token', { token: undefined }, { email: 'a@shop.test' }, `${AT}/token`],
  ['another platform', { platform: 'palm' }, { email: 'a@shop.test' }, `${AT}/platform`],
  ['another permission', { enablement_status: 'OK' }, {}, `${AT}/enablement_status`],
  ['an unknown field', { colour: 'red' }, { email: 'a@shop.test' }, `${AT}/colour`],
  [
    'an unknown part of the device',
    { device_metadata: { wheels: 4 } },
    { email: 'a@shop.test' },
    `${AT}/device_metadata/wheels`,
  ],
  ['nobody', {}, {}, PROFILE],
  ['no address', {}, { email: 'a' }, `${PROFILE}/email`],
  ['no phone', {}, { phone_number: '1' }, `${PROFILE}/phone_number`],
];
for (const [name, token, profile, pointer] of REFUSED) {
  test(`refuses a push token with ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const { status, errors } = await refusal(await register(sandbox, token, profile));
    assert.deepEqual([status, errors[0]![0]], [400, pointer]);
    assert.equal(sandbox.account.profiles.size, 0);
  });
}

test('an account without push refuses tokens with the recorded wording', async (t) => {
  const sandbox = await sandboxFor(t, { switches: { pushTokens: 'refused' } });
  const response = await register(sandbox, {}, { email: 'a@shop.test' });
  assert.equal(response.status, 403);
  const { code, title, detail } = await errorOf(response);
  assert.deepEqual(
    [code, title, detail],
    ['forbidden', 'Forbidden.', 'Company is not able to process push tokens'],
  );
});
