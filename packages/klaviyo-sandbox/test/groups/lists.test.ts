import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  call,
  consentOf,
  get,
  HOUR,
  refusal,
  row,
  sandboxFor,
  subscribe,
  type PageBody,
  type Resource,
} from '../support.js';

const email = 'ada@shop.test';

interface Group extends Resource {
  relationships: Record<string, { data?: unknown; links: object }>;
}
interface Document<Data> {
  data: Data;
  included?: Group[];
  links: { self: string };
}

const patch = (attributes: object, id = 'Single') => ({ data: { type: 'list', id, attributes } });

/** Two lists that share a flow and a tag. */
async function labelled(t: TestContext) {
  return sandboxFor(t, {
    lists: [
      {
        id: 'First',
        name: 'First',
        flows: [{ id: 'Flow01', name: 'Welcome' }],
        tags: ['news', 'shop'],
      },
      {
        id: 'Second',
        name: 'Second',
        flows: [{ id: 'Flow01', name: 'Welcome' }],
        tags: ['news'],
      },
    ],
  });
}

test('includes flows and tags, each once, with the requested fields', async (t) => {
  const sandbox = await labelled(t);
  const { data, included } = await get<Document<Group[]>>(
    sandbox,
    '/api/lists?include=flow-triggers,tags&fields[flow]=name,status,trigger_type&fields[tag]=name',
  );
  assert.deepEqual(
    included?.map(({ attributes }) => attributes),
    [
      { name: 'news' },
      { name: 'shop' },
      { name: 'Welcome', status: 'live', trigger_type: 'Added to List' },
    ],
  );
  const flow = [{ type: 'flow', id: 'Flow01' }];
  assert.deepEqual(
    data.map(({ relationships }) => relationships['flow-triggers']?.data),
    [flow, flow],
  );
  const [news, shop] = included;
  assert.deepEqual(data[0]!.relationships['tags']?.data, [
    { type: 'tag', id: news!.id },
    { type: 'tag', id: shop!.id },
  ]);
  assert.match(news!.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('without include a list only shows links', async (t) => {
  const sandbox = await labelled(t);
  const { data, ...rest } = await get<Document<Group>>(sandbox, '/api/lists/First');
  assert.equal('included' in rest, false);
  assert.deepEqual(Object.keys(data.relationships), ['profiles', 'tags', 'flow-triggers']);
  for (const relation of Object.values(data.relationships)) {
    assert.deepEqual(Object.keys(relation), ['links']);
  }
  const asked = await get<Document<Group>>(sandbox, '/api/lists/First?include=tags');
  assert.equal(asked.included?.length, 2);
  assert.equal(asked.data.relationships['flow-triggers']?.data, undefined);
});

test('a list with flows can be created at run time, and is checked', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.createList({ id: 'Late', name: 'Late', flows: [{ name: 'W', status: 'draft' }] });
  const { included } = await get<Document<Group>>(sandbox, '/api/lists/Late?include=flow-triggers');
  assert.deepEqual(
    included?.map(({ attributes }) => [attributes['name'], attributes['status']]),
    [['W', 'draft']],
  );
  const wrong = [{ name: 'W', status: 'on' as 'live' }];
  assert.throws(
    () => sandbox.account.createList({ name: 'x', flows: wrong }),
    /draft, manual, live/,
  );
  assert.throws(() => sandbox.account.createList({ name: 'x', tags: [''] }), /a tag needs a name/);
});

test('counts members on request, at most once a second', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email, lists: ['Single'] });
  const path = '/api/lists/Single?additional-fields[list]=profile_count';
  const { data } = await get<Document<Resource>>(sandbox, path);
  assert.equal(data.attributes['profile_count'], 1);
  assert.equal((await call(sandbox, 'GET', path)).status, 429);
  const plain = await get<Document<Resource>>(sandbox, '/api/lists/Single');
  assert.equal('profile_count' in plain.data.attributes, false);
});

test('changes name and opt-in process, and the date of the change', async (t) => {
  const sandbox = await sandboxFor(t);
  const before = (await get<Document<Resource>>(sandbox, '/api/lists/Single')).data.attributes;
  while (Date.now() === Date.parse(String(before['updated']))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const changed = await call(sandbox, 'PATCH', '/api/lists/Single', patch({ name: 'Renamed' }));
  assert.equal(changed.status, 200);
  const { data, links } = (await changed.json()) as Document<Resource>;
  assert.equal(links.self, `${sandbox.url}/api/lists/Single`);
  assert.equal(data.attributes['name'], 'Renamed');
  assert.equal(data.attributes['opt_in_process'], 'single_opt_in');
  assert.equal(data.attributes['created'], before['created']);
  assert.notEqual(data.attributes['updated'], before['updated']);
  await call(sandbox, 'PATCH', '/api/lists/Single', patch({ opt_in_process: 'double_opt_in' }));
  await subscribe(sandbox, [row({ email })], { list: 'Single' });
  sandbox.account.advance(HOUR);
  assert.equal(consentOf(sandbox, email), undefined, 'the person is asked first now');
});

for (const [name, body, pointer, detail] of [
  ['a name that is blank', patch({ name: ' ' }), '/data/attributes/name', /blank/],
  [
    'an unknown process',
    patch({ opt_in_process: 'x' }),
    '/data/attributes/opt_in_process',
    /valid choice/,
  ],
  ['an unknown attribute', patch({ colour: 'x' }), '/data/attributes/colour', /not a valid field/],
  ['the id of another list', patch({ name: 'x' }, 'Double'), '/data/id', /"Double" is not/],
  ['no id', { data: { type: 'list', attributes: {} } }, '/data/id', /'id' is a required field/],
  ['another type', { data: { type: 'tag', id: 'Single', attributes: {} } }, '/data/type', /"tag"/],
] as const) {
  test(`refuses to change a list for ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const refused = await refusal(await call(sandbox, 'PATCH', '/api/lists/Single', body));
    assert.equal(refused.status, 400);
    assert.equal(refused.errors[0]![0], pointer);
    assert.match(refused.errors[0]![1]!, detail);
    assert.equal(sandbox.account.lists.get('Single')?.name, 'Single');
  });
}

test('a deleted list is removed with its members and suppressions; consent stays', async (t) => {
  const sandbox = await sandboxFor(t);
  const { account } = sandbox;
  account.seed({ email, email_consent: 'SUBSCRIBED', lists: ['Single', 'Double'] });
  const index = account.profiles.withEmail(email)!;
  account.profiles.setListSuppression(index, {
    listId: 'Single',
    reason: 'UNSUBSCRIBE',
    timestamp: Date.UTC(2024, 0, 1),
  });
  const deleted = await call(sandbox, 'DELETE', '/api/lists/Single');
  assert.equal(deleted.status, 204);
  assert.equal(await deleted.text(), '');
  const truth = account.truthFor({ email })!;
  assert.deepEqual(
    truth.lists.map(({ id }) => id),
    ['Double'],
  );
  assert.equal(truth.subscriptions.email.marketing.consent, 'SUBSCRIBED');
  assert.deepEqual(truth.subscriptions.email.marketing.list_suppressions, []);
  for (const [method, path, body] of [
    ['GET', '/api/lists/Single', undefined],
    ['GET', '/api/lists/Single/profiles', undefined],
    ['GET', '/api/lists/Single/relationships/profiles', undefined],
    ['POST', '/api/lists/Single/relationships/profiles', { data: [] }],
    ['PATCH', '/api/lists/Single', patch({ name: 'x' })],
    ['DELETE', '/api/lists/Single', undefined],
  ] as const) {
    const gone = await refusal(await call(sandbox, method, path, body));
    assert.deepEqual(
      gone,
      { status: 404, errors: [['/data/', 'A list with id `Single` does not exist.']] },
      `${method} ${path}`,
    );
  }
});

test('a subscribe that was accepted before the deletion still subscribes, and joins nothing', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.equal((await subscribe(sandbox, [row({ email })], { list: 'Single' })).status, 202);
  await call(sandbox, 'DELETE', '/api/lists/Single');
  sandbox.account.advance(HOUR);
  assert.deepEqual(consentOf(sandbox, email), {
    email: 'SUBSCRIBED',
    sms: 'NEVER_SUBSCRIBED',
    lists: [],
  });
});

test('an unknown list is a 400 on reads if the switch says so, a 404 on writes', async (t) => {
  const sandbox = await sandboxFor(t, { switches: { unknownIdOnGet: 400 } });
  assert.equal((await call(sandbox, 'GET', '/api/lists/None')).status, 400);
  assert.equal((await call(sandbox, 'GET', '/api/lists/None/profiles')).status, 400);
  assert.equal((await call(sandbox, 'DELETE', '/api/lists/None')).status, 404);
});

test('150 lists a day, and no more', async (t) => {
  const sandbox = await sandboxFor(t);
  const create = () =>
    call(sandbox, 'POST', '/api/lists', { data: { type: 'list', attributes: { name: 'x' } } });
  for (let i = 0; i < 150; i++) {
    if (i % 10 === 0) sandbox.account.advance(10_000);
    const made = await create();
    assert.equal(made.status, 201, `list ${i}`);
    await made.body?.cancel();
  }
  sandbox.account.advance(120_000);
  const refused = await create();
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get('retry-after')) > 80_000);
  sandbox.account.advance(24 * HOUR);
  const made = await create();
  assert.equal(made.status, 201);
  assert.equal(made.headers.get('ratelimit-limit'), '10, 10;w=1, 150;w=60, 150;w=86400');
});

test('adding and removing by id writes no event and only accepts profiles', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email });
  const { id } = sandbox.account.truthFor({ email })!;
  const path = '/api/lists/Single/relationships/profiles';
  const list = { data: [{ type: 'list', id }] };
  const { errors } = await refusal(await call(sandbox, 'POST', path, list));
  assert.equal(errors[0]![0], '/data/0/type');
  const profile = { data: [{ type: 'profile', id }] };
  assert.equal((await call(sandbox, 'POST', path, profile)).status, 204);
  assert.equal((await call(sandbox, 'DELETE', path, profile)).status, 204);
  assert.equal(sandbox.account.journal.events.size, 0);
});

test('finds members by every identifier, in the order of joining', async (t) => {
  const sandbox = await sandboxFor(t);
  const { account } = sandbox;
  for (const [name, month] of [
    ['c', 1],
    ['a', 2],
    ['b', 3],
  ] as const) {
    account.seed({
      email: `${name}@shop.test`,
      phone_number: `+1202555010${month}`,
      lists: [{ id: 'Single', joined_group_at: `2024-0${month}-01T00:00:00Z` }],
    });
  }
  account.seed({ email: 'other@shop.test', lists: ['Double'] });
  const index = account.profiles.withEmail('a@shop.test')!;
  account.profiles.exchangeIds.set(index, 'cookie');
  account.profiles.pushTokens.set(index, {
    token: 'token',
    platform: 'ios',
    vendor: 'apns',
    enablement: 'AUTHORIZED',
    background: 'AVAILABLE',
    metadata: null,
    created: 0,
    recorded: 0,
  });
  const found = async (query: string) => {
    const page: PageBody = await get(sandbox, `/api/lists/Single/profiles?${query}`);
    return page.data.map(({ attributes }) => String(attributes['email'])[0]).join('');
  };
  assert.equal(await found(''), 'cab');
  assert.equal(await found('sort=-joined_group_at'), 'bac');
  const some = 'any(email,["b@shop.test","c@shop.test","other@shop.test","none@shop.test"])';
  assert.equal(await found(`filter=${some}`), 'cb');
  assert.equal(await found(`filter=${some}&sort=-joined_group_at`), 'bc');
  assert.equal(await found(`filter=${some},equals(phone_number,"%2B12025550103")`), 'b');
  assert.equal(await found(`filter=${some},less-than(joined_group_at,2024-02-01T00:00:00Z)`), 'c');
  assert.equal(await found('filter=equals(push_token,["token"])'), 'a');
  assert.equal(await found('filter=equals(_kx,"cookie")'), 'a');
  assert.equal(await found('filter=equals(_kx,"none")'), '');
  assert.equal(await found('filter=greater-than(joined_group_at,2024-01-01T00:00:00Z)'), 'ab');
  assert.equal(await found('filter=less-or-equal(joined_group_at,2024-02-01T00:00:00Z)'), 'ca');
});
