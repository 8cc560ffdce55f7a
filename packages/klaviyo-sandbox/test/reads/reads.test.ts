import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Sandbox } from '../../src/index.js';
import { call, get, refusal, sandboxFor, type PageBody, type Resource } from '../support.js';

const DAY = 86_400_000;
const START = Date.UTC(2024, 0, 1);
const dayOf = (i: number) => new Date(START + i * DAY).toISOString();

/** Twelve people, created one per day, updated in reverse order, the even ones on the list. */
async function twelve(t: TestContext): Promise<Sandbox> {
  const sandbox = await sandboxFor(t);
  for (let i = 0; i < 12; i++) {
    sandbox.account.seed({
      email: `${'lkjihgfedcba'[i]}@shop.test`,
      ...(i === 3 ? { phone_number: '+12015550123' } : {}),
      created: dayOf(i),
      updated: dayOf(100 - i),
      email_consent: 'SUBSCRIBED',
      lists: i % 2 === 0 ? [{ id: 'Single', joined_group_at: dayOf(50 + i) }] : [],
    });
  }
  return sandbox;
}

async function emails(sandbox: Sandbox, path: string): Promise<string[]> {
  const found: string[] = [];
  for (let next: string | null = path; next !== null;) {
    const page: PageBody = await get(sandbox, next);
    found.push(...page.data.map(({ attributes }) => (attributes['email'] as string)[0]!));
    next = page.links.next;
  }
  return found;
}

const filtered = (filter: string, rest = '') =>
  `/api/profiles?page[size]=5&filter=${encodeURIComponent(filter)}${rest}`;

const FOUND: [string, string, string][] = [
  ['all, in order of ids', '/api/profiles?page[size]=5', 'lkjihgfedcba'],
  ['all, in reverse', '/api/profiles?page[size]=5&sort=-id', 'abcdefghijkl'],
  ['sorted by e-mail', '/api/profiles?page[size]=5&sort=email', 'abcdefghijkl'],
  ['sorted by e-mail backwards', '/api/profiles?page[size]=5&sort=-email', 'lkjihgfedcba'],
  ['sorted by created', '/api/profiles?page[size]=5&sort=created', 'lkjihgfedcba'],
  ['sorted by updated', '/api/profiles?page[size]=5&sort=updated', 'abcdefghijkl'],
  ['sorted by -updated', '/api/profiles?page[size]=5&sort=-updated', 'lkjihgfedcba'],
  ['any e-mail', filtered(`any(email,["a@shop.test",'c@shop.test',"nobody@shop.test"])`), 'ca'],
  ['one e-mail', filtered('equals(email,"b@shop.test")'), 'b'],
  ['another case', filtered('equals(email,"B@shop.test")'), 'b'],
  ['one phone', filtered('any(phone_number,["+12015550123"])'), 'i'],
  ['none of an empty list', filtered('any(email,[])'), ''],
  ['created after', filtered(`greater-than(created,${dayOf(9)})`), 'ba'],
  ['created before', filtered(`less-than(created,${dayOf(2)})`, '&sort=-created'), 'kl'],
  [
    'and(...)',
    filtered(`and(greater-than(created,${dayOf(3)}),less-than(created,${dayOf(6)}))`),
    'hg',
  ],
  [
    'a bare comma',
    filtered(`greater-than(updated,${dayOf(95)}),less-than(updated,${dayOf(98)})`),
    'ih',
  ],
  [
    'the same by updated',
    filtered(`greater-than(updated,${dayOf(95)}),less-than(updated,${dayOf(98)})`, '&sort=updated'),
    'hi',
  ],
  ['most by updated', filtered(`greater-than(updated,${dayOf(90)})`), 'lkjihgfedc'],
  [
    'identifiers and dates',
    filtered(`any(email,["a@shop.test","l@shop.test"]),greater-than(created,${dayOf(5)})`),
    'a',
  ],
  ['members in order of joining', '/api/lists/Single/profiles?page[size]=2', 'ljhfdb'],
  [
    'members, latest first',
    '/api/lists/Single/profiles?page[size]=4&sort=-joined_group_at',
    'bdfhjl',
  ],
  [
    'members who joined from',
    `/api/lists/Single/profiles?page[size]=1&filter=greater-or-equal(joined_group_at,${dayOf(58)})`,
    'db',
  ],
  [
    'members who joined before',
    `/api/lists/Single/profiles?filter=less-than(joined_group_at,${dayOf(52)})`,
    'l',
  ],
  [
    'members by e-mail',
    `/api/lists/Single/profiles?filter=any(email,["a@shop.test","b@shop.test","l@shop.test"])`,
    'lb',
  ],
  [
    'members by a list of one',
    `/api/lists/Single/profiles?filter=equals(email,['l@shop.test'])`,
    'l',
  ],
];
for (const [name, path, found] of FOUND) {
  test(`finds ${name}`, async (t) => {
    const sandbox = await twelve(t);
    assert.equal((await emails(sandbox, path)).join(''), found);
  });
}

const REFUSED: [string, string, string, string | RegExp][] = [
  [
    'an unquoted string',
    '/api/profiles?filter=equals(email,me@shop.test)',
    'filter',
    'Invalid filter provided',
  ],
  [
    'a quoted date',
    '/api/profiles?filter=greater-than(updated,"2024-01-01T00:00:00Z")',
    'filter',
    'Invalid filter provided',
  ],
  [
    'a date without an offset',
    '/api/profiles?filter=greater-than(updated,2024-01-01T00:00:00)',
    'filter',
    'Invalid filter provided',
  ],
  [
    'a plus that was not encoded',
    '/api/profiles?filter=greater-than(updated,2024-01-01T00:00:00+00:00)',
    'filter',
    'Invalid filter provided',
  ],
  [
    'a date in the future',
    '/api/profiles?filter=greater-than(updated,2999-01-01T00:00:00Z)',
    'filter',
    /future/,
  ],
  [
    'or(...)',
    '/api/profiles?filter=or(equals(email,"a"),equals(email,"b"))',
    'filter',
    'Invalid filter provided',
  ],
  [
    'what comes after the end',
    '/api/profiles?filter=equals(email,"a"))',
    'filter',
    'Invalid filter provided',
  ],
  [
    'a field without a filter',
    '/api/profiles?filter=equals(first_name,"Ada")',
    'filter',
    /not a filterable field/,
  ],
  [
    'an operator of another field',
    '/api/profiles?filter=greater-or-equal(updated,2024-01-01T00:00:00Z)',
    'filter',
    /greater-than, less-than/,
  ],
  ['an unknown sort', '/api/profiles?sort=phone_number', 'sort', /not an allowed sort/],
  ['a page of 101', '/api/profiles?page[size]=101', 'page[size]', /between 1 and 100/],
  ['a page of none', '/api/profiles?page[size]=0', 'page[size]', /between 1 and 100/],
  ['a page of 11 lists', '/api/lists?page[size]=11', 'page[size]', /between 1 and 10/],
  ['a cursor of nowhere', '/api/profiles?page[cursor]=nowhere', 'page[cursor]', /cursor/],
  [
    'an unknown additional field',
    '/api/profiles?additional-fields[profile]=consent',
    'additional-fields[profile]',
    /not an allowed/,
  ],
  ['an unknown field', '/api/profiles?fields[profile]=mail', 'fields[profile]', /not an allowed/],
];
for (const [name, path, parameter, detail] of REFUSED) {
  test(`refuses ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const { status, errors } = await refusal(await call(sandbox, 'GET', path));
    assert.deepEqual([status, errors[0]![0]], [400, parameter]);
    if (typeof detail === 'string') assert.equal(errors[0]![1], detail);
    else assert.match(errors[0]![1]!, detail);
  });
}

test('shows subscriptions only if requested, and only the fields that are named', async (t) => {
  const sandbox = await twelve(t);
  const [plain] = (await get(sandbox, '/api/profiles?page[size]=1')).data;
  assert.equal(plain!.attributes.subscriptions, undefined);
  assert.equal(plain!.attributes['created'], '2024-01-01T00:00:00+00:00');
  const full = await get<{ data: Resource }>(
    sandbox,
    `/api/profiles/${plain!.id}?additional-fields[profile]=subscriptions`,
  );
  assert.equal(full.data.attributes.subscriptions?.email.marketing['consent'], 'SUBSCRIBED');
  const fields = 'email,subscriptions.email.marketing.consent';
  const few = await get<{ data: Resource }>(
    sandbox,
    `/api/profiles/${plain!.id}?additional-fields[profile]=subscriptions&fields[profile]=${fields}`,
  );
  assert.deepEqual(few.data.attributes, {
    email: 'l@shop.test',
    subscriptions: { email: { marketing: { consent: 'SUBSCRIBED' } } },
  });
});

test('members carry the date of joining', async (t) => {
  const sandbox = await twelve(t);
  const [member] = (await get(sandbox, '/api/lists/Single/profiles?page[size]=1')).data;
  assert.equal(member!.attributes['joined_group_at'], '2024-02-20T00:00:00+00:00');
});

test('a profile that changes under a reader is read twice, never skipped', async (t) => {
  const sandbox = await twelve(t);
  const first = await get(sandbox, '/api/profiles?page[size]=6&sort=updated');
  const index = sandbox.account.profiles.withEmail('a@shop.test')!;
  sandbox.account.profiles.touch(index, Date.now());
  const read = first.data.map(({ attributes }) => (attributes['email'] as string)[0]);
  const rest = await emails(sandbox, first.links.next!);
  assert.deepEqual([...read, ...rest].join(''), 'abcdefghijkla');
});

test('names an unknown profile or list', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const path of ['/api/profiles/01ABC', '/api/lists/01ABC', '/api/lists/01ABC/profiles']) {
    const { status, errors } = await refusal(await call(sandbox, 'GET', path));
    assert.equal(status, 404);
    assert.match(errors[0]![1]!, /01ABC`? does not exist/);
  }
});

test('lists are returned ten per page, filtered and sorted', async (t) => {
  const sandbox = await sandboxFor(t);
  for (let i = 0; i < 12; i++) sandbox.account.createList({ id: `L${i}`, name: `n${i}` });
  const names: unknown[] = [];
  let pages = 0;
  for (let next: string | null = '/api/lists?sort=-name'; next !== null; pages++) {
    const page: PageBody = await get(sandbox, next);
    names.push(...page.data.map(({ attributes }) => attributes['name']));
    next = page.links.next;
  }
  assert.equal(pages, 2);
  assert.deepEqual(names, [...names].sort().reverse());
  assert.equal(names.length, 14);
  const some = await get(sandbox, '/api/lists?filter=any(id,["L3","Double"])');
  assert.deepEqual(
    some.data.map(({ id }) => id),
    ['Double', 'L3'],
  );
  const [first] = (await get(sandbox, '/api/lists?filter=equals(name,"Single")')).data;
  assert.equal(first?.attributes['opt_in_process'], 'single_opt_in');
});

test('creates a list with the given or the default opt-in process', async (t) => {
  const sandbox = await sandboxFor(t);
  const create = async (attributes: object) => {
    const response = await call(sandbox, 'POST', '/api/lists', {
      data: { type: 'list', attributes },
    });
    return { status: response.status, body: (await response.json()) as { data: Resource } };
  };
  const made = await create({ name: 'Given', opt_in_process: 'single_opt_in' });
  assert.equal(made.status, 201);
  assert.match(made.body.data.id, /^\w{6}$/);
  assert.equal(made.body.data.attributes['opt_in_process'], 'single_opt_in');
  const usual = await create({ name: 'Usual' });
  assert.equal(usual.body.data.attributes['opt_in_process'], 'double_opt_in');
  assert.equal((await create({})).status, 400);
  assert.equal((await create({ name: 'x', opt_in_process: 'none' })).status, 400);
});

test('adds and removes members by id, without consent, all or none', async (t) => {
  const sandbox = await twelve(t);
  const path = '/api/lists/Double/relationships/profiles';
  const ids = (await get(sandbox, '/api/profiles?page[size]=3')).data.map(({ id }) => id);
  const body = (profiles: string[]) => ({ data: profiles.map((id) => ({ type: 'profile', id })) });
  const refused = await refusal(await call(sandbox, 'POST', path, body([...ids, 'XYZABD'])));
  assert.deepEqual(refused, { status: 400, errors: [['/data/', 'Invalid profile IDs: XYZABD']] });
  assert.equal(sandbox.account.lists.get('Double')?.size, 0);
  assert.equal((await call(sandbox, 'POST', path, body(ids))).status, 204);
  assert.deepEqual(
    (await get(sandbox, path)).data.map(({ id }) => id),
    ids,
  );
  assert.equal((await call(sandbox, 'DELETE', path, body(ids.slice(1)))).status, 204);
  assert.deepEqual(
    (await get(sandbox, path)).data.map(({ id }) => id),
    ids.slice(0, 1),
  );
  const many = Array.from({ length: 1_001 }, () => ids[0]!);
  assert.equal((await call(sandbox, 'POST', path, body(many))).status, 400);
});

test('the account id finds its SMS set-up', async (t) => {
  const sandbox = await sandboxFor(t, { account: { id: 'AbCdEf', country: 'GB' } });
  const beta = { revision: '2026-07-15.pre' };
  const [account] = (await get(sandbox, '/api/accounts')).data;
  assert.equal(account?.id, 'AbCdEf');
  sandbox.account.advance(1_001);
  const path = `/api/text-messaging-configurations/${account.id}`;
  const found = await call(sandbox, 'GET', path, undefined, beta);
  assert.equal(((await found.json()) as { data: Resource }).data.attributes['status'], 'active');
  assert.equal((await call(sandbox, 'GET', `${path}x`, undefined, beta)).status, 404);
  const senders = await call(
    sandbox,
    'GET',
    '/api/text-messaging-senders?page[size]=2',
    undefined,
    beta,
  );
  const page = (await senders.json()) as PageBody;
  assert.deepEqual(
    page.data.map(({ attributes }) => attributes['sender_details']),
    [{ country: 'US' }, { country: 'CA' }],
  );
  const next = await call(sandbox, 'GET', page.links.next!, undefined, beta);
  const rest = (await next.json()) as PageBody;
  assert.deepEqual([rest.data.length, rest.links.next], [1, null]);
});

test('without SMS there is neither configuration nor sender', async (t) => {
  const sandbox = await sandboxFor(t, { sms: { status: 'none', senders: [] } });
  const beta = { revision: '2026-07-15.pre' };
  const path = '/api/text-messaging-configurations/SbxAcc';
  assert.equal((await call(sandbox, 'GET', path, undefined, beta)).status, 404);
  const senders = await call(sandbox, 'GET', '/api/text-messaging-senders', undefined, beta);
  assert.deepEqual(((await senders.json()) as PageBody).data, []);
});
