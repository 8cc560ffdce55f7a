import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DELAYS, type Sandbox, type SandboxOptions, type SegmentRule } from '../../src/index.js';
import { importInto } from '../profiles/import-support.js';
import {
  call,
  get,
  HOUR,
  refusal,
  row,
  sandboxFor,
  subscribe,
  UNSUBSCRIBE,
  type PageBody,
  type Resource,
} from '../support.js';

const MINUTE = 60_000;
const ada = { email: 'ada@shop.test' };
const bob = { email: 'bob@shop.test' };
const segments: SandboxOptions['segments'] = [
  { id: 'Chosen', name: 'Chosen', tags: ['vip'], flows: [{ id: 'Flow01', name: 'Hello' }] },
  { id: 'Gold00', name: 'Gold', where: { property: 'plan', equals: 'gold' } },
  { id: 'Subbed', name: 'Subbed', where: { consent: 'email.marketing', is: 'SUBSCRIBED' } },
  { id: 'Asleep', name: 'Asleep', is_active: false, is_starred: true },
];

interface Segment extends Resource {
  relationships: Record<string, { data?: unknown }>;
}

async function membersOf(sandbox: Sandbox, id: string, query = ''): Promise<string> {
  const page: PageBody = await get(sandbox, `/api/segments/${id}/profiles?${query}`);
  return page.data.map(({ attributes }) => String(attributes['email'])[0]).join('');
}

async function segmentOf(sandbox: Sandbox, id: string, query = '') {
  return get<{ data: Segment; included?: Segment[] }>(sandbox, `/api/segments/${id}?${query}`);
}

async function dateOf(sandbox: Sandbox, id: string): Promise<unknown> {
  const page: PageBody = await get(sandbox, `/api/segments/${id}/profiles`);
  return page.data[0]?.attributes['joined_group_at'];
}

test('people enter and leave a segment half a minute to five minutes later', async (t) => {
  const sandbox = await sandboxFor(t, { segments });
  for (const who of [ada, bob]) sandbox.account.seed(who);
  sandbox.account.moveInSegment('Chosen', { enter: [ada, bob] });
  sandbox.account.advance(29_000);
  assert.equal(await membersOf(sandbox, 'Chosen'), '');
  sandbox.account.advance(5 * MINUTE);
  assert.equal(await membersOf(sandbox, 'Chosen'), 'ab');
  sandbox.account.moveInSegment('Chosen', { leave: [ada] });
  sandbox.account.advance(29_000);
  assert.equal(await membersOf(sandbox, 'Chosen'), 'ab');
  sandbox.account.advance(5 * MINUTE);
  assert.equal(await membersOf(sandbox, 'Chosen'), 'b');
});

test('no change shows before the shortest delay', async (t) => {
  const delays = { ...DELAYS.klaviyo, segmentMember: [30_000, 30_004] as const };
  const sandbox = await sandboxFor(t, { segments, delays });
  for (const who of [ada, bob]) sandbox.account.seed(who);
  sandbox.account.moveInSegment('Chosen', { enter: [ada] });
  sandbox.account.advance(20_000);
  sandbox.account.moveInSegment('Chosen', { enter: [bob] });
  sandbox.account.advance(9_000);
  assert.equal(await membersOf(sandbox, 'Chosen'), '');
  sandbox.account.advance(2_000);
  assert.equal(await membersOf(sandbox, 'Chosen'), 'a');
  sandbox.account.advance(20_000);
  assert.equal(await membersOf(sandbox, 'Chosen'), 'ab');
});

test('somebody who comes back gets a new date, and the last of two moves counts', async (t) => {
  const sandbox = await sandboxFor(t, { segments });
  sandbox.account.seed(ada);
  sandbox.account.moveInSegment('Chosen', { enter: [ada] });
  sandbox.account.advance(6 * MINUTE);
  const before = await dateOf(sandbox, 'Chosen');
  sandbox.account.moveInSegment('Chosen', { leave: [ada] });
  sandbox.account.moveInSegment('Chosen', { enter: [ada] });
  sandbox.account.advance(6 * MINUTE);
  assert.equal(await dateOf(sandbox, 'Chosen'), before, 'left and back before anybody looked');
  sandbox.account.moveInSegment('Chosen', { leave: [ada] });
  sandbox.account.advance(6 * MINUTE);
  assert.equal(await membersOf(sandbox, 'Chosen'), '');
  sandbox.account.moveInSegment('Chosen', { enter: [ada] });
  sandbox.account.advance(6 * MINUTE);
  assert.notEqual(await dateOf(sandbox, 'Chosen'), before);
});

test('a new segment is processing and empty for eight minutes or more', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ ...ada, email_consent: 'SUBSCRIBED' });
  sandbox.account.seed(bob);
  const { id } = sandbox.account.createSegment({
    name: 'New',
    where: { consent: 'email.marketing', is: 'SUBSCRIBED' },
  });
  sandbox.account.advance(7 * MINUTE);
  const young = await segmentOf(sandbox, id, 'additional-fields[segment]=profile_count');
  assert.equal(young.data.attributes['is_processing'], true);
  assert.equal(young.data.attributes['profile_count'], 0);
  assert.equal(await membersOf(sandbox, id), '');
  sandbox.account.advance(3 * MINUTE);
  const ready = await segmentOf(sandbox, id, 'additional-fields[segment]=profile_count');
  assert.equal(ready.data.attributes['is_processing'], false);
  assert.equal(ready.data.attributes['profile_count'], 1);
  assert.equal(await membersOf(sandbox, id), 'a');
});

test('people moved into a new segment show when it is ready', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed(ada);
  const { id } = sandbox.account.createSegment({ name: 'New' });
  sandbox.account.moveInSegment(id, { enter: [ada] });
  sandbox.account.advance(7 * MINUTE);
  assert.equal(await membersOf(sandbox, id), '');
  sandbox.account.advance(3 * MINUTE);
  assert.equal(await membersOf(sandbox, id), 'a');
});

test('a rule on a property follows what imports write', async (t) => {
  const sandbox = await sandboxFor(t, { segments });
  await importInto(sandbox, 'Single', [
    { ...ada, properties: { plan: 'gold' } },
    { ...bob, properties: { plan: 'silver' } },
  ]);
  sandbox.account.advance(HOUR);
  assert.equal(await membersOf(sandbox, 'Gold00'), 'a');
  await importInto(sandbox, 'Single', [
    { ...ada, properties: { plan: 'silver' } },
    { ...bob, properties: { plan: 'gold' } },
  ]);
  sandbox.account.advance(HOUR);
  assert.equal(await membersOf(sandbox, 'Gold00'), 'b');
});

test('a rule on consent follows subscribes and unsubscribes', async (t) => {
  const sandbox = await sandboxFor(t, { segments });
  await subscribe(sandbox, [row(ada)], { list: 'Single' });
  sandbox.account.advance(3 * MINUTE + 29_000);
  sandbox.account.advance(HOUR);
  assert.equal(await membersOf(sandbox, 'Subbed'), 'a');
  const subscriptions = { email: { marketing: { consent: 'UNSUBSCRIBED' } } };
  const leaving = await call(sandbox, 'POST', UNSUBSCRIBE, {
    data: {
      type: 'profile-subscription-bulk-delete-job',
      attributes: {
        profiles: { data: [{ type: 'profile', attributes: { ...ada, subscriptions } }] },
      },
    },
  });
  assert.equal(leaving.status, 202);
  sandbox.account.advance(29_000);
  assert.equal(await membersOf(sandbox, 'Subbed'), 'a', 'the segment is late');
  sandbox.account.advance(5 * MINUTE);
  assert.equal(await membersOf(sandbox, 'Subbed'), '');
});

for (const consent of ['NEVER_SUBSCRIBED', 'SUBSCRIBED'] as const) {
  test(`a deleted profile leaves its segments at once: ${consent}`, async (t) => {
    const sandbox = await sandboxFor(t, { segments });
    sandbox.account.seed({ ...ada, email_consent: consent });
    sandbox.account.moveInSegment('Chosen', { enter: [ada] });
    sandbox.account.advance(6 * MINUTE);
    assert.equal(await membersOf(sandbox, 'Chosen'), 'a');
    assert.equal(await membersOf(sandbox, 'Subbed'), consent === 'SUBSCRIBED' ? 'a' : '');
    sandbox.account.profiles.remove(sandbox.account.profiles.withEmail(ada.email)!);
    assert.equal(await membersOf(sandbox, 'Chosen'), '');
    assert.equal(await membersOf(sandbox, 'Subbed'), '');
  });
}

test('nobody can be moved in an inactive segment, in one with a rule, or without a profile', async (t) => {
  const sandbox = await sandboxFor(t, { segments });
  const { account } = sandbox;
  account.seed(ada);
  assert.throws(() => account.moveInSegment('Asleep', { enter: [ada] }), /inactive/);
  assert.throws(() => account.moveInSegment('Gold00', { enter: [ada] }), /has a rule/);
  assert.throws(() => account.moveInSegment('Nobody', { enter: [ada] }), /no segment "Nobody"/);
  assert.throws(() => account.moveInSegment('Chosen', { enter: [bob] }), /bob@shop.test/);
  const nobody = [null] as unknown as (typeof ada)[];
  assert.throws(() => account.moveInSegment('Chosen', { enter: nobody }), /RangeError/);
  const one = ada as unknown as (typeof ada)[];
  assert.throws(() => account.moveInSegment('Chosen', { leave: one }), /must be arrays of people/);
  assert.throws(() => account.createSegment({ id: 'Gold00', name: 'x' }), /"Gold00" exists/);
  const both = { property: 'a', equals: 'b', consent: 'sms.marketing', is: 'SUBSCRIBED' } as const;
  for (const rule of [
    null,
    1,
    'x',
    { property: 'plan' },
    { consent: 'email', is: 'SUBSCRIBED' },
    both,
  ]) {
    const where = rule as SegmentRule;
    assert.throws(() => account.createSegment({ name: 'x', where }), /RangeError: where must be/);
  }
  const is_active = 'no' as unknown as boolean;
  assert.throws(() => account.createSegment({ name: 'x', is_active }), /is_active must be true or/);
});

test('a deleted segment is a 404, or a 400 if the switch says so', async (t) => {
  const sandbox = await sandboxFor(t, { segments });
  sandbox.account.seed(ada);
  sandbox.account.moveInSegment('Chosen', { enter: [ada] });
  sandbox.account.deleteSegment('Chosen');
  sandbox.account.advance(HOUR);
  for (const path of ['/api/segments/Chosen', '/api/segments/Chosen/profiles']) {
    assert.deepEqual(await refusal(await call(sandbox, 'GET', path)), {
      status: 404,
      errors: [['/data/', 'A segment with id `Chosen` does not exist.']],
    });
  }
  const other = await sandboxFor(t, { switches: { unknownIdOnGet: 400 } });
  assert.equal((await call(other, 'GET', '/api/segments/Chosen')).status, 400);
});

test('a segment shows its definition, flows and tags', async (t) => {
  const sandbox = await sandboxFor(t, { segments });
  const gold = await segmentOf(sandbox, 'Gold00', 'fields[segment]=definition');
  assert.deepEqual(gold.data.attributes, {
    definition: {
      condition_groups: [
        {
          conditions: [
            {
              type: 'profile-property',
              property: "properties['plan']",
              filter: { type: 'string', operator: 'equals', value: 'gold' },
            },
          ],
        },
      ],
    },
  });
  const { data, included } = await segmentOf(sandbox, 'Chosen', 'include=tags,flow-triggers');
  assert.deepEqual(
    included?.map(({ attributes }) => attributes['name']),
    ['vip', 'Hello'],
  );
  assert.deepEqual(data.relationships['flow-triggers']?.data, [{ type: 'flow', id: 'Flow01' }]);
  const { is_active, is_processing, is_starred } = data.attributes;
  assert.deepEqual([is_active, is_processing, is_starred], [true, false, false]);
});

const consent = (channel: string, canReceive: boolean, status: object) => ({
  type: 'profile-marketing-consent',
  consent: { channel, can_receive_marketing: canReceive, consent_status: status },
});
const subscribed = { subscription: 'subscribed', filters: null };
const never = { subscription: 'never_subscribed' };
for (const [where, conditions] of [
  [
    { property: "dog's name", equals: 'Rex' },
    [
      {
        type: 'profile-property',
        property: "properties['dog\\'s name']",
        filter: { type: 'string', operator: 'equals', value: 'Rex' },
      },
    ],
  ],
  [
    { property: 'vip', equals: true },
    [
      {
        type: 'profile-property',
        property: "properties['vip']",
        filter: { type: 'boolean', operator: 'equals', value: true },
      },
    ],
  ],
  [
    { consent: 'email.marketing', is: 'SUBSCRIBED' },
    [consent('email', true, subscribed), consent('email', false, { ...subscribed, filters: [] })],
  ],
  [
    { consent: 'email.marketing', is: 'NEVER_SUBSCRIBED' },
    [
      consent('email', true, { ...never, filters: null }),
      consent('email', false, { ...never, filters: [] }),
    ],
  ],
  [
    { consent: 'email.marketing', is: 'UNSUBSCRIBED' },
    [consent('email', false, { subscription: 'unsubscribed', filters: null })],
  ],
  [
    { consent: 'sms.marketing', is: 'SUBSCRIBED' },
    [consent('sms', true, { subscription: 'subscribed' })],
  ],
  [
    { consent: 'sms.marketing', is: 'UNSUBSCRIBED' },
    [consent('sms', false, { subscription: 'unsubscribed' })],
  ],
  [{ consent: 'sms.marketing', is: 'NEVER_SUBSCRIBED' }, [consent('sms', false, never)]],
] as const satisfies readonly (readonly [SegmentRule, readonly object[]])[]) {
  test(`shows ${JSON.stringify(where)} as Klaviyo's segment definition`, async (t) => {
    const sandbox = await sandboxFor(t, { segments: [{ id: 'Ruled0', name: 'Ruled', where }] });
    const [segment] = (await get(sandbox, '/api/segments')).data;
    assert.deepEqual(segment?.attributes['definition'], { condition_groups: [{ conditions }] });
  });
}

test('segments are returned ten per page, filtered and sorted; is_starred filters nothing', async (t) => {
  const sandbox = await sandboxFor(t, { segments });
  const idsOf = async (query: string) =>
    (await get(sandbox, `/api/segments?${query}`)).data.map(({ id }) => id);
  assert.deepEqual(await idsOf(''), ['Asleep', 'Chosen', 'Gold00', 'Subbed']);
  assert.deepEqual(await idsOf('filter=equals(is_active,false)'), ['Asleep']);
  assert.deepEqual(await idsOf('filter=any(is_active,[true,false])&sort=-name'), [
    'Subbed',
    'Gold00',
    'Chosen',
    'Asleep',
  ]);
  assert.deepEqual(await idsOf('filter=any(name,["Gold"]),equals(is_starred,true)'), ['Gold00']);
  for (let i = 0; i < 8; i++) sandbox.account.createSegment({ name: `n${i}` });
  const first = await get(sandbox, '/api/segments');
  assert.equal(first.data.length, 10);
  assert.equal((await get(sandbox, first.links.next!)).data.length, 2);
});

test('members of a segment are found by id and date, and page stably while people join', async (t) => {
  const sandbox = await sandboxFor(t, { segments });
  const { account } = sandbox;
  const people = [...'abcdef'].map((name) => ({ email: `${name}@shop.test` }));
  for (const who of people) account.seed(who);
  account.moveInSegment('Chosen', { enter: people.slice(0, 4) });
  account.advance(6 * MINUTE);
  const ids = people.map((who) => account.truthFor(who)!.id);
  const some = JSON.stringify([ids[3], ids[1], ids[5], 'unknown']);
  assert.equal(await membersOf(sandbox, 'Chosen', `filter=any(profile_id,${some})`), 'bd');
  const first = await get(sandbox, '/api/segments/Chosen/profiles?page[size]=3');
  account.moveInSegment('Chosen', { enter: people.slice(4), leave: people.slice(0, 1) });
  account.advance(6 * MINUTE);
  const rest = await get(sandbox, first.links.next!);
  assert.deepEqual(
    [...first.data, ...rest.data].map(({ id }) => id),
    ids,
  );
  const joined = String(rest.data.at(-1)!.attributes['joined_group_at']).replace('+00:00', 'Z');
  const since = `filter=greater-or-equal(joined_group_at,${joined})`;
  assert.match(await membersOf(sandbox, 'Chosen', since), /f$/);
});

test('segments are hours behind if the switch says so, old ones and new ones', async (t) => {
  const switches = { segmentMembers: 'hours_behind' } as const;
  const sandbox = await sandboxFor(t, { segments, switches });
  sandbox.account.seed({ ...ada, properties: { plan: 'gold' } });
  sandbox.account.createSegment({
    id: 'Newest',
    name: 'Newest',
    where: { property: 'plan', equals: 'gold' },
  });
  sandbox.account.advance(2 * HOUR);
  assert.equal(await membersOf(sandbox, 'Gold00'), '');
  assert.equal(await membersOf(sandbox, 'Newest'), '');
  sandbox.account.advance(HOUR);
  assert.equal(await membersOf(sandbox, 'Gold00'), 'a');
  assert.equal(await membersOf(sandbox, 'Newest'), 'a');
});
