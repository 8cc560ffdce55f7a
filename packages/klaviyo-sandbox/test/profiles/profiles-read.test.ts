import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, get, refusal, sandboxFor, type PageBody } from '../support.js';
import { created, update, upsert, type ProfileAnswer } from './profiles.js';

const PHONE = '+12015550123';

test('finds profiles by external id and by exchange id', async (t) => {
  const sandbox = await sandboxFor(t);
  const a = await created(sandbox, { email: 'a@shop.test', external_id: 'crm-1' });
  const b = await created(sandbox, { email: 'b@shop.test', external_id: 'crm-2' });
  await upsert(sandbox, { email: 'b@shop.test', _kx: 'kx-b' });
  const ids = async (filter: string) =>
    (await get(sandbox, `/api/profiles?filter=${encodeURIComponent(filter)}`)).data.map(
      ({ id }) => id,
    );
  assert.deepEqual(await ids('any(external_id,["crm-2","crm-1","crm-3"])'), [a, b]);
  assert.deepEqual(await ids('equals(_kx,"kx-b")'), [b]);
  assert.deepEqual(await ids('equals(_kx,"kx-b"),equals(external_id,"crm-1")'), []);
  await update(sandbox, a, { external_id: 'crm-9' });
  assert.deepEqual(await ids('any(external_id,["crm-1","crm-9"])'), [a]);
});

test('shows every attribute of a profile, and null if it is not set', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await created(sandbox, { email: 'a@shop.test', location: { city: 'Ulm' } });
  const { data } = await get<ProfileAnswer>(sandbox, `/api/profiles/${id}`);
  const { created: made, updated, location, ...others } = data.attributes;
  assert.equal(made, updated);
  assert.deepEqual(others, {
    email: 'a@shop.test',
    phone_number: null,
    external_id: null,
    first_name: null,
    last_name: null,
    organization: null,
    locale: null,
    title: null,
    image: null,
    last_event_date: null,
    properties: {},
  });
  assert.deepEqual(location, {
    address1: null,
    address2: null,
    city: 'Ulm',
    country: null,
    latitude: null,
    longitude: null,
    region: null,
    zip: null,
    timezone: null,
    ip: null,
  });
});

test('shows the date of the latest event', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await created(sandbox, { email: 'a@shop.test' });
  const profile = sandbox.account.profiles.withId(id)!;
  for (const day of [3, 5, 4]) {
    const backdatedTo = Date.UTC(2024, 0, day);
    sandbox.account.journal.record({ metric: 'Subscribed to List', profile, backdatedTo });
  }
  const { data } = await get<ProfileAnswer>(sandbox, `/api/profiles/${id}`);
  assert.equal(data.attributes['last_event_date'], '2024-01-05T00:00:00+00:00');
});

test('predictive analytics are present if requested, and empty', async (t) => {
  const sandbox = await sandboxFor(t);
  await created(sandbox, { email: 'a@shop.test' });
  const [plain] = (await get(sandbox, '/api/profiles')).data;
  assert.equal('predictive_analytics' in plain!.attributes, false);
  const path = '/api/profiles?additional-fields[profile]=predictive_analytics';
  const analytics = (await get(sandbox, path)).data[0]!.attributes['predictive_analytics'];
  assert.equal(Object.keys(analytics as object).length, 10);
  assert.deepEqual([...new Set(Object.values(analytics as object))], [null]);
});

test('additional fields are returned beside the fields that are named', async (t) => {
  const sandbox = await sandboxFor(t);
  await created(sandbox, { email: 'a@shop.test' });
  const fields = async (query: string) =>
    Object.keys((await get(sandbox, `/api/profiles?${query}`)).data[0]!.attributes);
  assert.deepEqual(await fields('fields[profile]=email'), ['email']);
  const additional = 'additional-fields[profile]=subscriptions';
  assert.deepEqual(await fields(`fields[profile]=email&${additional}`), ['email', 'subscriptions']);
  const [one] = (
    await get(
      sandbox,
      `/api/profiles?fields[profile]=subscriptions.email.marketing.consent&${additional}`,
    )
  ).data;
  assert.deepEqual(one!.attributes, {
    subscriptions: { email: { marketing: { consent: 'NEVER_SUBSCRIBED' } } },
  });
});

test('includes lists, segments, push tokens and conversations', async (t) => {
  const sandbox = await sandboxFor(t);
  const { account } = sandbox;
  const id = await created(sandbox, {
    email: 'a@shop.test',
    phone_number: PHONE,
    properties: { vip: true },
  });
  const index = account.profiles.withId(id)!;
  account.lists.get('Single')!.join(index, Date.now());
  account.createSegment({ id: 'Vip', name: 'Vip', where: { property: 'vip', equals: true } });
  account.advance(3_600_000);
  const push = { token: 'tok', platform: 'ios', vendor: 'apns', enablement: 'AUTHORIZED' };
  account.pushTokens.register(index, { ...push, background: 'AVAILABLE', metadata: null });
  const include = 'lists,segments,push-tokens,conversations';
  const answer = await get<ProfileAnswer>(
    sandbox,
    `/api/profiles/${id}?include=${include}&fields[list]=name&fields[push-token]=token,vendor`,
  );
  const shown = answer.included!.map(({ type, attributes }) => [type, attributes]);
  assert.deepEqual(
    shown.filter(([type]) => type !== 'segment'),
    [
      ['list', { name: 'Single' }],
      ['push-token', { token: 'tok', vendor: 'APNs' }],
      ['conversation', { channel: 'sms' }],
    ],
  );
  assert.equal(answer.included!.find(({ type }) => type === 'segment')?.attributes['name'], 'Vip');
  for (const [name, { data }] of Object.entries(answer.data.relationships)) {
    const included = answer.included!.filter(({ type }) => `${type}s` === name);
    assert.deepEqual(
      data,
      included.map(({ type, id: related }) => ({ type, id: related })),
      name,
    );
  }
});

test('shows no data of a relationship that is not included, and writes show no conversations', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await created(sandbox, { email: 'a@shop.test', phone_number: PHONE });
  const plain = await get<ProfileAnswer>(sandbox, `/api/profiles/${id}?include=push-tokens`);
  assert.deepEqual(plain.included, []);
  assert.deepEqual(plain.data.relationships['push-tokens']!.data, []);
  assert.equal('data' in plain.data.relationships['conversations']!, false);
  assert.equal('included' in (await get<object>(sandbox, `/api/profiles/${id}`)), false);
  const written = (await (await update(sandbox, id, { title: 'Dr' })).json()) as ProfileAnswer;
  assert.deepEqual(Object.keys(written.data.relationships), ['lists', 'segments', 'push-tokens']);
});

test('the conversation with a person is the same one in every answer', async (t) => {
  const sandbox = await sandboxFor(t);
  await created(sandbox, { email: 'a@shop.test', phone_number: PHONE });
  await created(sandbox, { email: 'b@shop.test' });
  const read = async () => {
    const page = await get<PageBody & { included: { id: string }[] }>(
      sandbox,
      '/api/profiles?include=conversations',
    );
    return page.included.map(({ id }) => id);
  };
  const first = await read();
  assert.equal(first.length, 1);
  assert.deepEqual(await read(), first);
});

test('lists and segments of a profile have their own limit', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await created(sandbox, { email: 'a@shop.test' });
  const read = async (query: string) =>
    (await call(sandbox, 'GET', `/api/profiles/${id}${query}`)).status;
  assert.equal(await read('?include=lists'), 200);
  assert.equal(await read('?include=lists'), 429);
  assert.equal(await read('?include=segments'), 200);
  assert.equal(await read(''), 200);
});

test('returns the lists of a profile', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email: 'a@shop.test', lists: ['Double'] });
  const [profile] = (await get(sandbox, '/api/profiles')).data;
  const page = await get(sandbox, `/api/profiles/${profile!.id}/lists?fields[list]=name`);
  assert.deepEqual(
    page.data.map(({ id, attributes }) => [id, attributes]),
    [['Double', { name: 'Double' }]],
  );
  assert.equal(page.links.next, null);
});

for (const unknownIdOnGet of [404, 400] as const) {
  test(`answers ${unknownIdOnGet} to an id that does not exist`, async (t) => {
    const sandbox = await sandboxFor(t, { switches: { unknownIdOnGet } });
    for (const path of ['/api/profiles/NOPE01', '/api/profiles/NOPE01/lists']) {
      const { status, errors } = await refusal(await call(sandbox, 'GET', path));
      assert.equal(status, unknownIdOnGet);
      assert.equal(errors[0]![1], 'A profile with id NOPE01 does not exist.');
    }
  });
}
