import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSandbox, type Sandbox } from '../../src/index.js';
import { ask, refused } from '../control/control-support.js';
import { call, HOUR, refusal, row, sandboxFor, subscribe, type Resource } from '../support.js';

const CONFIGURATIONS = '/api/text-messaging-configurations';
const SENDERS = '/api/text-messaging-senders';
const REGISTRATION = 'text-messaging-sender-registration';
const DAY = 24 * HOUR;
const NONE = { sms: { status: 'none' as const, senders: [] } };
const TOLL_FREE_ONLY = {
  sms: {
    status: 'active' as const,
    senders: [{ country: 'GB', type: 'long_code', status: 'active' }],
  },
};

interface Document {
  data: Resource & { relationships: Record<string, { data?: { id: string } }> };
  included?: Resource[];
}

const beta = (sandbox: Sandbox, method: string, path: string, body?: unknown) =>
  call(sandbox, method, path, body, { revision: '2026-07-15.pre' });

async function read(sandbox: Sandbox, path: string): Promise<Document> {
  const response = await beta(sandbox, 'GET', path);
  assert.equal(response.status, 200);
  return (await response.json()) as Document;
}

const configuration = (attributes: object) => ({
  data: { type: 'text-messaging-configuration', attributes },
});

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

function senderBody(form: object = FORM, more: object = {}) {
  return {
    data: {
      type: 'text-messaging-sender',
      attributes: {
        sender_type: 'toll_free',
        sender_details: { country: 'US' },
        [REGISTRATION]: { data: { type: REGISTRATION, attributes: form } },
        ...more,
      },
    },
  };
}

const canSubscribe = async (sandbox: Sandbox): Promise<boolean> => {
  const response = await subscribe(sandbox, [row({ phone_number: '+12015550123' }, ['sms'])]);
  return response.status === 202;
};

test('SMS is set up once', async (t) => {
  const sandbox = await sandboxFor(t, NONE);
  const path = `${CONFIGURATIONS}/SbxAcc`;
  assert.equal((await beta(sandbox, 'GET', path)).status, 404);
  const body = configuration({ org_prefix: 'Acme' });
  const made = await beta(sandbox, 'POST', CONFIGURATIONS, body);
  assert.equal(made.status, 201);
  const { data } = (await made.json()) as Document;
  assert.deepEqual(
    [data.id, data.attributes['org_prefix'], data.attributes['status']],
    ['SbxAcc', 'Acme', 'active'],
  );
  assert.deepEqual((await read(sandbox, path)).data.attributes, data.attributes);
  assert.equal((await beta(sandbox, 'POST', CONFIGURATIONS, body)).status, 409);
});

for (const [name, attributes] of [
  ['no prefix', {}],
  ['a blank prefix', { org_prefix: ' ' }],
  ['51 letters', { org_prefix: 'x'.repeat(51) }],
] as const) {
  test(`SMS is not set up with ${name}`, async (t) => {
    const sandbox = await sandboxFor(t, NONE);
    const answer = await beta(sandbox, 'POST', CONFIGURATIONS, configuration(attributes));
    const { status, errors } = await refusal(answer);
    assert.deepEqual([status, errors[0]![0]], [400, '/data/attributes/org_prefix']);
    assert.equal(sandbox.account.texting.configuration(), null);
  });
}

test('a new toll-free number reaches its two countries once it is approved', async (t) => {
  const sandbox = await sandboxFor(t, TOLL_FREE_ONLY);
  const made = await beta(sandbox, 'POST', SENDERS, senderBody(FORM, { forwarding_number: null }));
  assert.equal(made.status, 201);
  const { data } = (await made.json()) as Document;
  assert.deepEqual(data.attributes['sender_details'], { country: 'US' });
  assert.equal(data.attributes['status'], 'registering');
  assert.equal(data.attributes['sender_identifier'], null);
  const list = (await read(sandbox, SENDERS)) as unknown as { data: Resource[] };
  assert.deepEqual(
    list.data.map(({ attributes: { sender_details: details, status } }) => [details, status]),
    [
      [{ country: 'GB' }, 'active'],
      [{ country: 'US' }, 'registering'],
      [{ country: 'CA' }, 'registering'],
    ],
  );
  assert.equal(await canSubscribe(sandbox), false);
  sandbox.account.advance(5 * DAY);
  assert.equal(await canSubscribe(sandbox), true);
  const now = await read(sandbox, `${SENDERS}/${data.id}`);
  assert.equal(now.data.attributes['status'], 'active');
  assert.match(now.data.attributes['sender_identifier'] as string, /^\+1888555\d{4}$/);
});

test('a registration is in review, then decided', async (t) => {
  const sandbox = await sandboxFor(t, TOLL_FREE_ONLY);
  const made = await beta(sandbox, 'POST', SENDERS, senderBody());
  const { id } = ((await made.json()) as Document).data;
  const related = `${SENDERS}/${id}/${REGISTRATION}`;
  const waiting = (await read(sandbox, related)).data;
  assert.equal(waiting.attributes['status'], 'in_review');
  assert.equal(waiting.attributes['decided_at'], null);
  sandbox.account.advance(5 * DAY);
  const decided = (await read(sandbox, related)).data;
  assert.deepEqual(
    [decided.attributes['status'], decided.attributes['failures']],
    ['approved', []],
  );
  assert.notEqual(decided.attributes['decided_at'], null);
  const relation = await read(sandbox, `${SENDERS}/${id}/relationships/${REGISTRATION}`);
  assert.deepEqual(relation.data, { type: REGISTRATION, id: decided.id });
  const sender = await read(
    sandbox,
    `${SENDERS}/${id}?include=${REGISTRATION}&fields[${REGISTRATION}]=status`,
  );
  assert.equal(sender.data.relationships[REGISTRATION]?.data?.id, decided.id);
  assert.deepEqual(
    sender.included?.map(({ id: of, attributes }) => [of, attributes]),
    [[decided.id, { status: 'approved' }]],
  );
});

test('a number that is not toll-free has no registration', async (t) => {
  const sandbox = await sandboxFor(t, TOLL_FREE_ONLY);
  const [sender] = [...sandbox.account.texting.senders()];
  for (const path of [REGISTRATION, `relationships/${REGISTRATION}`]) {
    assert.equal((await read(sandbox, `${SENDERS}/${sender!.id}/${path}`)).data, null);
  }
  assert.deepEqual((await read(sandbox, `${SENDERS}?include=${REGISTRATION}`)).included, []);
});

test('a carrier can refuse, ask for more and suspend, through a control call', async (t) => {
  const sandbox = await sandboxFor(t, TOLL_FREE_ONLY);
  const made = await beta(sandbox, 'POST', SENDERS, senderBody());
  const { id } = ((await made.json()) as Document).data;
  const decide = (body: object) => ask(sandbox, 'POST', `/senders/${id}`, body);
  const states: unknown[] = [];
  for (const [status, failures] of [
    ['registration_failed', ['No such business.']],
    ['pending_registration', ['Send a tax certificate.']],
    ['active', []],
    ['suspended', []],
  ] as const) {
    await decide({ status, failures });
    const { attributes } = (await read(sandbox, `${SENDERS}/${id}/${REGISTRATION}`)).data;
    states.push([attributes['status'], attributes['failures'], await canSubscribe(sandbox)]);
  }
  assert.deepEqual(states, [
    ['rejected', [{ detail: 'No such business.' }], false],
    ['action_required', [{ detail: 'Send a tax certificate.' }], false],
    ['approved', [], true],
    ['approved', [], false],
  ]);
  // A decision by hand stays after the review would have ended.
  sandbox.account.advance(5 * DAY);
  assert.equal((await read(sandbox, `${SENDERS}/${id}`)).data.attributes['status'], 'suspended');
  assert.match(await refused(sandbox, 'POST', `/senders/${id}`, { status: 'gone' }), /^400 status/);
  assert.match(
    await refused(sandbox, 'POST', '/senders/x', { status: 'active' }),
    /^400 no sender/,
  );
});

const pointer = (field: string) => `/data/attributes/${REGISTRATION}/data/attributes/${field}`;
const BAD: [string, object, string[]][] = [
  ['another type', senderBody(FORM, { sender_type: 'alpha' }), ['/data/attributes/sender_type']],
  [
    'another country',
    senderBody(FORM, { sender_details: { country: 'GB' } }),
    ['/data/attributes/sender_details/country'],
  ],
  [
    'an invalid forwarding number',
    senderBody(FORM, { forwarding_number: '555' }),
    ['/data/attributes/forwarding_number'],
  ],
  ['no form', senderBody(FORM, { [REGISTRATION]: {} }), [`/data/attributes/${REGISTRATION}`]],
  [
    'everything missing but the country',
    senderBody({ address: { city: 'Newark' }, business_registration_country: 'US' }),
    [
      ...['first_name', 'last_name', 'phone_number', 'email', 'business_type', 'business_name'],
      'business_website',
      ...['street_address_1', 'region', 'postal_code', 'country'].map((name) => `address/${name}`),
      ...['business_registration_authority', 'business_registration_number'],
    ].map(pointer),
  ],
  [
    'a company without its registration',
    senderBody({ ...FORM, business_type: 'PRIVATE_PROFIT' }),
    ['business_registration_authority', 'business_registration_number'].map(pointer),
  ],
  [
    'values that are none',
    senderBody({ ...FORM, phone_number: '1', email: 'x', business_type: 'CLUB' }),
    [
      'phone_number',
      'email',
      'business_type',
      'business_registration_authority',
      'business_registration_number',
    ].map(pointer),
  ],
];
for (const [name, body, pointers] of BAD) {
  test(`refuses a sender with ${name}`, async (t) => {
    const sandbox = await sandboxFor(t, TOLL_FREE_ONLY);
    const { status, errors } = await refusal(await beta(sandbox, 'POST', SENDERS, body));
    assert.equal(status, 400);
    assert.deepEqual(errors.map(([place]) => place).sort(), pointers.sort());
  });
}

test('without an SMS set-up no sender can be created, and nobody is reached', async (t) => {
  const sandbox = await sandboxFor(t, NONE);
  assert.equal((await beta(sandbox, 'POST', SENDERS, senderBody())).status, 400);
  assert.equal((await beta(sandbox, 'GET', `${SENDERS}/x`)).status, 404);
  assert.equal(await canSubscribe(sandbox), false);
});

test('refuses a sender option that Klaviyo does not know', async () => {
  for (const [type, status, word] of [
    ['pigeon', 'active', 'type'],
    ['alpha', 'asleep', 'status'],
  ] as const) {
    const sms = { status: 'active' as const, senders: [{ country: 'US', type, status }] };
    await assert.rejects(startSandbox({ sms }), new RegExp(`sms.senders.${word} must be one of`));
  }
});
