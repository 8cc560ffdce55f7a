import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, get, refusal, sandboxFor } from '../support.js';
import {
  create,
  created,
  errorOf,
  idOf,
  profileBody,
  profileOf,
  update,
  upsert,
  type ProfileAnswer,
} from './profiles.js';

const PHONE = '+12015550123';
const OTHER_PHONE = '+12015550124';
const EVERYTHING = {
  email: 'ada@shop.test',
  phone_number: PHONE,
  external_id: 'crm-1',
  first_name: 'Ada',
  last_name: 'L',
  organization: 'Engines',
  locale: 'en-GB',
  title: 'Countess',
  image: 'https://shop.test/ada.png',
  location: { city: 'London', latitude: 51.5, longitude: '-0.1' },
  properties: { plan: 'pro', tags: ['x'] },
};

test('creates a profile with every attribute, without consent', async (t) => {
  const sandbox = await sandboxFor(t);
  const path = '/api/profiles?additional-fields[profile]=subscriptions';
  const response = await call(sandbox, 'POST', path, profileBody(EVERYTHING));
  const { data } = await profileOf(response, 201);
  for (const [field, value] of Object.entries(EVERYTHING)) {
    if (field !== 'location') assert.deepEqual(data.attributes[field], value, field);
  }
  assert.equal(data.attributes.subscriptions?.email.marketing['consent'], 'NEVER_SUBSCRIBED');
  const read = await get<ProfileAnswer>(sandbox, `/api/profiles/${data.id}`);
  const { subscriptions: _, ...written } = data.attributes;
  assert.deepEqual(read.data.attributes, written);
});

const CREATE_REFUSED: [string, object, number, [string, string | RegExp][]][] = [
  ['no identifier', { first_name: 'Ada' }, 400, [['', 'One or more identifiers is required']]],
  [
    'only empty identifiers',
    { email: null, phone_number: null },
    400,
    [['', 'One or more identifiers is required']],
  ],
  ['no address', { email: 'ada' }, 400, [['/email', 'Invalid email address']]],
  ['an empty address', { email: '' }, 400, [['/email', 'Invalid email address']]],
  [
    'a badly formed phone',
    { email: 'a@shop.test', phone_number: '555-0123' },
    400,
    [['/phone_number', 'Invalid phone number format (Example of a valid format: +12345678901)']],
  ],
  [
    'a phone that cannot exist',
    { phone_number: '+15551234567' },
    400,
    [['/phone_number', /does not exist or is ineligible/]],
  ],
  [
    'consent',
    { email: 'a@shop.test', subscriptions: {} },
    400,
    [['/subscriptions', "'subscriptions' is not a valid field for the resource 'profile'."]],
  ],
  [
    'an exchange id',
    { email: 'a@shop.test', _kx: 'k' },
    400,
    [['/_kx', "'_kx' is not a valid field for the resource 'profile'."]],
  ],
  [
    'several wrong things',
    { email: 'a', first_name: 1, properties: [], location: { planet: 'x' } },
    400,
    [
      ['/email', 'Invalid email address'],
      ['/first_name', /string/],
      ['/properties', /object/],
      ['/location/planet', /not a valid field/],
    ],
  ],
  [
    'more than 100 KB',
    { email: 'a@shop.test', properties: { text: 'x'.repeat(100_000) } },
    413,
    [['', /100 KB/]],
  ],
];
for (const [name, attributes, status, expected] of CREATE_REFUSED) {
  test(`refuses to create a profile with ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const answer = await refusal(await create(sandbox, attributes));
    assert.equal(answer.status, status);
    assert.equal(answer.errors.length, expected.length);
    expected.forEach(([pointer, detail], i) => {
      const [at, text] = answer.errors[i]!;
      assert.equal(at, status === 413 ? '/data' : `/data/attributes${pointer}`);
      if (typeof detail === 'string') assert.equal(text, detail);
      else assert.match(text!, detail);
    });
    assert.equal(sandbox.account.profiles.size, 0);
  });
}

test('says which profile already has the identifier', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await created(sandbox, EVERYTHING);
  const other = await created(sandbox, { email: 'bob@shop.test' });
  const taken = [
    { email: 'ADA@shop.test' },
    { email: 'new@shop.test', phone_number: PHONE },
    { email: 'new@shop.test', external_id: 'crm-1' },
  ];
  const responses = [
    ...(await Promise.all(taken.map((attributes) => create(sandbox, attributes)))),
    await update(sandbox, other, { email: 'ada@shop.test' }),
    await update(sandbox, other, { phone_number: PHONE }),
    await upsert(sandbox, { email: 'bob@shop.test', external_id: 'crm-1' }),
    await upsert(sandbox, { email: 'new@shop.test', phone_number: PHONE }),
    await upsert(sandbox, { email: 'ada@shop.test' }, { id: other }),
  ];
  for (const response of responses) {
    assert.equal(response.status, 409);
    const { id: _, ...error } = (await errorOf(response)) as unknown as Record<string, unknown>;
    assert.deepEqual(error, {
      status: 409,
      code: 'duplicate_profile',
      title: 'Conflict.',
      detail: 'A profile already exists with one of these identifiers.',
      source: { pointer: '/data/attributes' },
      links: {},
      meta: { duplicate_profile_id: id },
    });
  }
  assert.equal(sandbox.account.profiles.size, 2);
});

test('an update changes what it names, a null clears, and updated only changes with a change', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await created(sandbox, EVERYTHING);
  const index = sandbox.account.profiles.withId(id)!;
  sandbox.account.profiles.touch(index, 1_000);
  const same = await profileOf(
    await update(sandbox, id, { first_name: 'Ada', email: 'ada@shop.test' }),
    200,
  );
  assert.equal(same.data.attributes['updated'], '1970-01-01T00:00:01+00:00');
  const { data } = await profileOf(
    await update(sandbox, id, {
      first_name: null,
      title: 'Lady',
      location: { zip: 'W1' },
      properties: { plan: null, since: 1843 },
    }),
    200,
  );
  assert.notEqual(data.attributes['updated'], '1970-01-01T00:00:01+00:00');
  assert.equal(data.attributes['first_name'], null);
  assert.equal(data.attributes['title'], 'Lady');
  assert.equal(data.attributes['last_name'], 'L');
  const { city, zip } = data.attributes['location'] as Record<string, unknown>;
  assert.deepEqual([city, zip], ['London', 'W1']);
  assert.deepEqual(data.attributes['properties'], { plan: null, tags: ['x'], since: 1843 });
  const cleared = await profileOf(await update(sandbox, id, { properties: null }), 200);
  assert.deepEqual(cleared.data.attributes['properties'], {});
});

test('patches custom properties', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await created(sandbox, {
    email: 'a@shop.test',
    properties: { tags: ['x', 'y'], n: 1 },
  });
  const meta = {
    patch_properties: {
      append: { tags: ['z', 'x'], new: 'first', n: 2 },
      unappend: { tags: 'y', absent: 'y' },
      unset: ['gone'],
    },
  };
  const attributes = { properties: { gone: 1 } };
  const { data } = await profileOf(await update(sandbox, id, attributes, { meta }), 200);
  assert.deepEqual(data.attributes['properties'], { tags: ['x', 'z'], new: ['first'], n: [1, 2] });
});

test('secondary addresses find the profile, in filters and in writes, and stay secondary', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await created(sandbox, { email: 'a@shop.test' });
  const taken = await created(sandbox, { email: 'b@shop.test' });
  const patch = (operation: string, email: unknown) =>
    update(sandbox, id, {}, { meta: { patch_identifiers: { [operation]: { email } } } });
  assert.equal((await patch('append', ['A2@shop.test', 'a3@shop.test'])).status, 200);
  const [found] = (await get(sandbox, '/api/profiles?filter=equals(email,"a2@shop.test")')).data;
  assert.deepEqual([found!.id, found!.attributes['email']], [id, 'a@shop.test']);
  const written = await profileOf(
    await upsert(sandbox, { email: 'a3@shop.test', title: 'Dr' }),
    200,
  );
  assert.deepEqual([written.data.id, written.data.attributes['email']], [id, 'a@shop.test']);

  const duplicate = await errorOf(await patch('append', 'b@shop.test'));
  assert.equal(duplicate.meta?.['duplicate_profile_id'], taken);
  const many = await patch('append', ['a4@shop.test', 'a5@shop.test', 'a6@shop.test']);
  assert.match((await refusal(many)).errors[0]![1]!, /at most 5/);
  assert.equal((await patch('append', 'none')).status, 400);

  assert.equal((await patch('unappend', ['a2@shop.test'])).status, 200);
  assert.equal(idOf(sandbox, 'a2@shop.test'), undefined);
  const swapped = await profileOf(await update(sandbox, id, { email: 'a3@shop.test' }), 200);
  assert.equal(swapped.data.attributes['email'], 'a3@shop.test');
  assert.equal(idOf(sandbox, 'a@shop.test'), id);
});

test('a new phone has no consent to texts, and the old one is free', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email: 'a@shop.test', phone_number: PHONE, sms_consent: 'SUBSCRIBED' });
  const id = idOf(sandbox, 'a@shop.test')!;
  const consent = () =>
    sandbox.account.truthFor({ email: 'a@shop.test' })!.subscriptions.sms.marketing.consent;
  await profileOf(await update(sandbox, id, { phone_number: PHONE }), 200);
  assert.equal(consent(), 'SUBSCRIBED');
  await profileOf(await update(sandbox, id, { phone_number: OTHER_PHONE }), 200);
  assert.equal(consent(), 'NEVER_SUBSCRIBED');
  await created(sandbox, { phone_number: PHONE });
  await profileOf(await update(sandbox, id, { phone_number: null }), 200);
  assert.equal(sandbox.account.truthFor({ email: 'a@shop.test' })!.phone_number, null);
});

test('refuses an update of another id, of an unknown one, and of the last identifier', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await created(sandbox, { email: 'a@shop.test', external_id: 'crm-1' });
  const other = await refusal(await update(sandbox, id, {}, { id: 'NOPE01' }));
  assert.deepEqual([other.status, other.errors[0]![0]], [400, '/data/id']);
  assert.equal((await update(sandbox, 'NOPE01', {})).status, 404);
  await profileOf(await update(sandbox, id, { email: null }), 200);
  const last = await refusal(await update(sandbox, id, { external_id: null }));
  assert.deepEqual(last, {
    status: 400,
    errors: [['/data/attributes', 'One or more identifiers is required']],
  });
});

test('an import creates once and then updates, found by any identifier', async (t) => {
  const sandbox = await sandboxFor(t);
  const { data } = await profileOf(await upsert(sandbox, { ...EVERYTHING, _kx: 'kx-1' }), 201);
  const ways: [object, string?][] = [
    [{ email: 'Ada@shop.test' }],
    [{ phone_number: PHONE }],
    [{ external_id: 'crm-1' }],
    [{ _kx: 'kx-1' }],
    [{ title: 'Dr' }, data.id],
  ];
  for (const [attributes, id] of ways) {
    const again = await profileOf(
      await upsert(sandbox, attributes, id === undefined ? {} : { id }),
      200,
    );
    assert.equal(again.data.id, data.id);
  }
  const moved = { external_id: 'crm-1', email: 'ada@new.test' };
  assert.equal((await profileOf(await upsert(sandbox, moved), 200)).data.id, data.id);
  assert.equal(idOf(sandbox, 'ada@shop.test'), undefined);
  const unknown = await upsert(sandbox, { email: 'c@shop.test' }, { id: 'NOPE01' });
  assert.deepEqual((await refusal(unknown)).errors, [
    ['/data/', 'A profile with id NOPE01 does not exist.'],
  ]);
  assert.equal((await upsert(sandbox, { title: 'Dr' })).status, 400);
  assert.equal(sandbox.account.profiles.size, 1);
});

test('an import completes a profile that only had a phone', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await created(sandbox, { phone_number: PHONE });
  const both = { email: 'a@shop.test', phone_number: PHONE };
  const { data } = await profileOf(await upsert(sandbox, both), 200);
  assert.deepEqual([data.id, data.attributes['email']], [id, 'a@shop.test']);
});
