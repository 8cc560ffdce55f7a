import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importBody, importInto } from './import-support.js';
import {
  call,
  consentOf,
  get,
  HOUR,
  IMPORT,
  refusal,
  sandboxFor,
  type Resource,
} from '../support.js';

const email = 'ada@shop.test';

test('creates members without consent, after up to 20 minutes, also on a double opt-in list', async (t) => {
  const sandbox = await sandboxFor(t);
  const accepted = await importInto(sandbox, 'Double', [{ email, first_name: 'Ada' }]);
  assert.equal(accepted.status, 202);
  const { data } = (await accepted.json()) as { data: Resource };
  assert.equal(data.attributes['status'], 'queued');
  assert.equal(data.attributes['total_count'], 1);
  assert.equal(data.attributes['completed_at'], null);
  sandbox.account.advance(29_000);
  assert.equal(consentOf(sandbox, email), undefined);
  sandbox.account.advance(HOUR / 3);
  assert.deepEqual(consentOf(sandbox, email), {
    email: 'NEVER_SUBSCRIBED',
    sms: 'NEVER_SUBSCRIBED',
    lists: ['Double'],
  });
  assert.deepEqual([...sandbox.account.messages()], []);
  const job = await get<{ data: Resource }>(sandbox, `${IMPORT}/${data.id}`);
  assert.equal(job.data.attributes['status'], 'complete');
  assert.equal(job.data.attributes['completed_count'], 1);
  assert.equal(job.data.attributes['failed_count'], 0);
});

test('does not change consent and the date of joining', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({
    email,
    email_consent: 'UNSUBSCRIBED',
    created: '2020-01-01T00:00:00Z',
    lists: [{ id: 'Single', joined_group_at: '2020-01-01T00:00:00Z' }],
  });
  await importInto(sandbox, 'Single', [{ email }]);
  await importInto(sandbox, 'Double', [{ email }]);
  sandbox.account.advance(61_000);
  assert.equal(consentOf(sandbox, email)?.lists.length, 2, 'within a minute: it is not new');
  const truth = sandbox.account.truthFor({ email })!;
  assert.equal(truth.subscriptions.email.marketing.consent, 'UNSUBSCRIBED');
  assert.equal(truth.subscriptions.email.marketing.suppression.length, 1);
  assert.equal(truth.lists[0]?.joined_group_at, '2020-01-01T00:00:00+00:00');
  assert.equal(truth.updated, '2020-01-01T00:00:00+00:00', 'a list join does not move updated');
});

test('silently does not store an invalid phone', async (t) => {
  const sandbox = await sandboxFor(t);
  const accepted = await importInto(sandbox, 'Single', [{ email, phone_number: '12' }]);
  assert.equal(accepted.status, 202);
  sandbox.account.advance(HOUR);
  assert.equal(sandbox.account.truthFor({ email })?.phone_number, null);
});

test('refuses the whole import for one malformed e-mail', async (t) => {
  const sandbox = await sandboxFor(t);
  const refused = await refusal(await importInto(sandbox, 'Single', [{ email }, { email: 'bad' }]));
  assert.deepEqual(refused, {
    status: 400,
    errors: [['/data/attributes/profiles/data/1/attributes/email', 'Invalid email address']],
  });
  sandbox.account.advance(HOUR);
  assert.equal(sandbox.account.profiles.size, 0);
});

test('refuses an unknown list with the wording of this endpoint', async (t) => {
  const sandbox = await sandboxFor(t);
  const refused = await refusal(await importInto(sandbox, 'Nowhere', [{ email }]));
  assert.deepEqual(refused.errors, [['/data', 'List ID Nowhere does not exist.']]);
});

test('writes no event, and leaves nobody subscribed', async (t) => {
  const sandbox = await sandboxFor(t);
  await importInto(sandbox, 'Single', [{ email }]);
  sandbox.account.advance(HOUR);
  assert.equal(sandbox.account.journal.events.size, 0);
  assert.equal(consentOf(sandbox, email)?.email, 'NEVER_SUBSCRIBED');
});

test('adds to the existing details, and clears nothing', async (t) => {
  const sandbox = await sandboxFor(t);
  const location = { city: 'Lyon', country: 'France' };
  const first = { email, first_name: 'Ada', location, properties: { plan: 'gold', size: 4 } };
  await importInto(sandbox, 'Single', [first]);
  sandbox.account.advance(HOUR);
  const again = {
    email,
    first_name: null,
    title: 'Countess',
    location: { city: 'Nice' },
    properties: { plan: 'silver' },
  };
  await importInto(sandbox, 'Single', [again]);
  sandbox.account.advance(HOUR);
  const [profile] = (await get(sandbox, '/api/profiles')).data;
  const { first_name, title, location: place, properties } = profile!.attributes;
  assert.equal(first_name, 'Ada');
  assert.equal(title, 'Countess');
  assert.deepEqual(properties, { plan: 'silver', size: 4 });
  assert.equal((place as typeof location).city, 'Nice');
  assert.equal((place as typeof location).country, 'France');
});

for (const [field, value] of [
  ['external_id', 'shop-1'],
  ['_kx', 'cookie-1'],
  ['phone_number', '+12025550123'],
] as const) {
  test(`finds somebody by ${field}, who gets the new e-mail`, async (t) => {
    const sandbox = await sandboxFor(t);
    await importInto(sandbox, 'Single', [{ [field]: value }]);
    sandbox.account.advance(HOUR);
    await importInto(sandbox, 'Double', [{ [field]: value, email }]);
    sandbox.account.advance(HOUR);
    assert.equal(sandbox.account.profiles.size, 1);
    assert.deepEqual(consentOf(sandbox, email)?.lists, ['Single', 'Double']);
  });
}

test('patches properties and secondary addresses', async (t) => {
  const sandbox = await sandboxFor(t);
  await importInto(sandbox, 'Single', [{ email, properties: { tags: ['a'], plan: 'gold' } }]);
  sandbox.account.advance(HOUR);
  const meta = {
    patch_properties: { append: { tags: 'b' }, unset: 'plan' },
    patch_identifiers: { append: { email: 'other@shop.test' } },
  };
  const body = importBody([{ type: 'profile', attributes: { email }, meta }], []);
  assert.equal((await call(sandbox, 'POST', IMPORT, body)).status, 202);
  sandbox.account.advance(HOUR);
  const { profiles } = sandbox.account;
  const index = profiles.withEmail(email)!;
  assert.deepEqual(profiles.details.get(index)?.['properties'], { tags: ['a', 'b'] });
  assert.equal(profiles.withEmail('other@shop.test'), index);
});

test('finds somebody by id', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email });
  const id = sandbox.account.truthFor({ email })!.id;
  const body = importBody([{ type: 'profile', id, attributes: { first_name: 'Ada' } }], ['Single']);
  assert.equal((await call(sandbox, 'POST', IMPORT, body)).status, 202);
  sandbox.account.advance(HOUR);
  assert.deepEqual(consentOf(sandbox, email)?.lists, ['Single']);
});

const profile = (attributes: object) => ({ type: 'profile', attributes });
for (const [name, row, pointer, detail] of [
  ['a row of another type', { type: 'list' }, '/type', /'profile'/],
  ['a row without attributes', { type: 'profile' }, '/attributes', /'attributes' is a required/],
  [
    'a row without identifiers',
    profile({ first_name: 'A' }),
    '/attributes',
    /One or more identifiers is required/,
  ],
  [
    'an e-mail that is a number',
    profile({ email: 1 }),
    '/attributes/email',
    /Invalid email address/,
  ],
  ['properties in a list', profile({ email, properties: [] }), '/attributes/properties', /object/],
  ['a name that is a number', profile({ email, title: 1 }), '/attributes/title', /valid string/],
  [
    'an unknown attribute',
    profile({ email, colour: 'red' }),
    '/attributes/colour',
    /'colour' is not a valid field for the resource 'profile'/,
  ],
  [
    'a profile of more than 100 KB',
    profile({ email, properties: { note: 'x'.repeat(100_000) } }),
    '',
    /larger than 100 KB/,
  ],
] as const) {
  test(`refuses ${name}, and with it the whole import`, async (t) => {
    const sandbox = await sandboxFor(t);
    const body = importBody([profile({ email: 'good@shop.test' }), row], ['Single']);
    const { status, errors } = await refusal(await call(sandbox, 'POST', IMPORT, body));
    assert.equal(status, 400);
    assert.equal(errors.length, 1);
    assert.equal(errors[0]![0], `/data/attributes/profiles/data/1${pointer}`);
    assert.match(errors[0]![1]!, detail);
    sandbox.account.advance(HOUR);
    assert.equal(sandbox.account.profiles.size, 0);
  });
}

test('accepts 10,000 profiles and 5 MB, and refuses more', async (t) => {
  const sandbox = await sandboxFor(t);
  const rows = Array.from({ length: 10_001 }, (_, i) => ({ email: `p${i}@shop.test` }));
  const { status, errors } = await refusal(await importInto(sandbox, 'Single', rows));
  assert.equal(status, 400);
  assert.equal(errors[0]![0], '/data/attributes/profiles/data');
  assert.equal((await importInto(sandbox, 'Single', rows.slice(1))).status, 202);
  const long = Array.from({ length: 60 }, (_, i) => ({
    email: `p${i}@shop.test`,
    properties: { note: 'x'.repeat(90_000) },
  }));
  assert.equal((await importInto(sandbox, 'Single', long)).status, 413);
});
