import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../../src/index.js';
import { call, HOUR, refusal, sandboxFor, type Resource } from '../support.js';

const DAY = 24 * HOUR;
const NEW = { revision: '2026-10-15' };
const SENDER = 'text-messaging-sender';
const REGISTRATION = 'text-messaging-sender-registration';
const REGISTRATIONS = `/api/${REGISTRATION}s`;

const FORM = {
  first_name: 'Jane',
  last_name: 'Doe',
  phone_number: '+12015550123',
  email: 'jane@example.com',
  address: {
    street_address_1: '1 Main Street',
    city: 'Newark',
    region: 'NJ',
    postal_code: '07102',
    country: 'US',
  },
  business_type: 'SOLE_PROPRIETOR',
  business_name: 'Jane’s Shop',
  business_website: 'https://shop.example',
  business_registration_country: 'US',
};

/** Requests a toll-free sender. */
const SENDER_BODY = {
  data: {
    type: SENDER,
    attributes: {
      sender_type: 'toll_free',
      sender_details: { country: 'US' },
      [REGISTRATION]: { data: { type: REGISTRATION, attributes: FORM } },
    },
  },
};

interface Document {
  data: Resource & { links: { self: string } };
  included?: Resource[];
}

const again = (senderId: string, form: object = FORM) => ({
  data: {
    type: REGISTRATION,
    attributes: form,
    relationships: { [SENDER]: { data: { type: SENDER, id: senderId } } },
  },
});

/** A toll-free sender whose registration the carrier has rejected. */
function rejectedSender(sandbox: Sandbox): { senderId: string; registrationId: string } {
  const [sender] = [...sandbox.account.texting.senders()].filter(
    ({ registration }) => registration !== null,
  );
  sandbox.account.texting.decide(sender!.id, 'registration_failed', ['No website.']);
  return { senderId: sender!.id, registrationId: sender!.registration!.id };
}

async function read(sandbox: Sandbox, path: string): Promise<Document> {
  const answer = await call(sandbox, 'GET', path, undefined, NEW);
  assert.equal(answer.status, 200);
  return (await answer.json()) as Document;
}

test('a rejected sender is registered again, reviewed and active', async (t) => {
  const sandbox = await sandboxFor(t);
  const { senderId, registrationId } = rejectedSender(sandbox);
  const body = again(senderId);
  const made = await call(sandbox, 'POST', `${REGISTRATIONS}?include=${SENDER}`, body, NEW);
  assert.equal(made.status, 201);
  const { data, included } = (await made.json()) as Document;
  assert.notEqual(data.id, registrationId);
  assert.equal(data.attributes['status'], 'in_review');
  assert.deepEqual(
    included?.map(({ id, attributes }) => [id, attributes['status']]),
    [[senderId, 'registering']],
  );
  assert.deepEqual((await read(sandbox, new URL(data.links.self).pathname)).data, data);
  const before = await read(sandbox, `${REGISTRATIONS}/${registrationId}`);
  assert.deepEqual(before.data.attributes['failures'], [{ detail: 'No website.' }]);
  sandbox.account.advance(5 * DAY);
  assert.equal((await read(sandbox, data.links.self)).data.attributes['status'], 'approved');
  const sender = await read(sandbox, `/api/${SENDER}s/${senderId}?include=${REGISTRATION}`);
  assert.equal(sender.data.attributes['status'], 'active');
  assert.deepEqual(
    sender.included?.map(({ id }) => id),
    [data.id],
  );
});

test('a registration that the carrier rejects meanwhile is not approved by an earlier review', async (t) => {
  const sandbox = await sandboxFor(t);
  const { senderId } = rejectedSender(sandbox);
  assert.equal((await call(sandbox, 'POST', REGISTRATIONS, again(senderId), NEW)).status, 201);
  sandbox.account.texting.decide(senderId, 'registration_failed');
  sandbox.account.advance(5 * DAY);
  assert.equal(sandbox.account.texting.sender(senderId)?.status, 'registration_failed');
});

for (const [name, status, pointer, body] of [
  ['nobody’s', 404, '/data/', again('none')],
  ['without a sender', 400, `/data/relationships/${SENDER}`, { type: REGISTRATION }],
  ['without an answer', 400, '/data/attributes/last_name', { last_name: '' }],
] as const) {
  test(`a registration is not accepted: ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const { senderId } = rejectedSender(sandbox);
    const sent =
      'data' in body
        ? body
        : 'type' in body
          ? { data: { ...body, attributes: FORM } }
          : again(senderId, { ...FORM, ...body });
    const refused = await refusal(await call(sandbox, 'POST', REGISTRATIONS, sent, NEW));
    assert.deepEqual([refused.status, refused.errors[0]![0]], [status, pointer]);
    assert.equal(sandbox.account.texting.sender(senderId)?.status, 'registration_failed');
  });
}

test('an active sender is not registered again', async (t) => {
  const sandbox = await sandboxFor(t);
  const { senderId } = rejectedSender(sandbox);
  sandbox.account.texting.decide(senderId, 'active');
  const answer = await call(sandbox, 'POST', REGISTRATIONS, again(senderId), NEW);
  assert.equal(answer.status, 409);
});

test('a new sender is shown with its registration on request', async (t) => {
  const sandbox = await sandboxFor(t);
  const path = `/api/${SENDER}s?include=${REGISTRATION}&fields[${REGISTRATION}]=status`;
  const made = await call(sandbox, 'POST', path, SENDER_BODY, NEW);
  assert.equal(made.status, 201);
  assert.deepEqual(
    ((await made.json()) as Document).included?.map(({ attributes }) => attributes),
    [{ status: 'in_review' }],
  );
  const old = { revision: '2026-07-15.pre' };
  assert.equal((await call(sandbox, 'POST', path, SENDER_BODY, old)).status, 400);
});

test('every text messaging operation answers under its stable name', async (t) => {
  const sandbox = await sandboxFor(t, { sms: { status: 'none', senders: [] } });
  const made = async (path: string, body: object) => {
    const answer = await call(sandbox, 'POST', path, body, NEW);
    assert.equal(answer.status, 201);
    return ((await answer.json()) as Document).data;
  };
  const configuration = '/api/text-messaging-configurations';
  const attributes = { org_prefix: 'Acme' };
  await made(configuration, { data: { type: 'text-messaging-configuration', attributes } });
  const { id } = await made(`/api/${SENDER}s`, SENDER_BODY);
  const sender = `/api/${SENDER}s/${id}`;
  for (const path of [
    `${configuration}/SbxAcc`,
    `/api/${SENDER}s`,
    sender,
    `${sender}/${REGISTRATION}`,
    `${sender}/relationships/${REGISTRATION}`,
  ]) {
    await read(sandbox, path);
    sandbox.account.advance(1_001);
  }
  const names = sandbox.account.requests().map(({ operation }) => operation);
  assert.equal(names.length, 7);
  assert.ok(
    names.every((name) => !name.endsWith('_beta')),
    names.join(', '),
  );
});
