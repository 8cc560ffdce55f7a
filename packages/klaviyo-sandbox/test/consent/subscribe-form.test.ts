import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SandboxOptions } from '../../src/index.js';
import {
  call,
  HOUR,
  refusal,
  sandboxFor,
  SUBSCRIBE,
  subscribe,
  subscribeBody,
} from '../support.js';
import { IN, OUT, profile } from './consent-support.js';

const email = 'ada@shop.test';
const phone_number = '+12015550123';
const MAIL = { email: { marketing: IN } };
const ROW = '/data/attributes/profiles/data/0';
const SUBSCRIPTIONS = `${ROW}/attributes/subscriptions`;

/** One bad row, and the pointer that the answer must have. */
const BAD_ROWS: [name: string, row: object, pointer: string, detail?: string][] = [
  [
    'an attribute that belongs to profiles',
    profile({ email, subscriptions: MAIL, last_name: 'Lovelace' }),
    `${ROW}/attributes/last_name`,
    "'last_name' is not a valid field for the resource 'profile'.",
  ],
  [
    'an e-mail that is a number',
    profile({ email: 5, subscriptions: MAIL }),
    `${ROW}/attributes/email`,
  ],
  [
    'a phone that is a number',
    profile({ email, phone_number: 12015550123, subscriptions: MAIL }),
    `${ROW}/attributes/phone_number`,
  ],
  ['a blank e-mail', profile({ email: ' ', subscriptions: MAIL }), `${ROW}/attributes/email`],
  ['no subscriptions', profile({ email }), SUBSCRIPTIONS],
  ['subscriptions that are null', profile({ email, subscriptions: null }), SUBSCRIPTIONS],
  ['subscriptions that are a list', profile({ email, subscriptions: ['email'] }), SUBSCRIPTIONS],
  ['empty subscriptions', profile({ email, subscriptions: {} }), SUBSCRIPTIONS],
  ['an empty channel', profile({ email, subscriptions: { email: {} } }), SUBSCRIPTIONS],
  [
    'a channel that is null, and no other',
    profile({ email, subscriptions: { email: null } }),
    SUBSCRIPTIONS,
  ],
  [
    'a channel that is text',
    profile({ email, subscriptions: { email: 'yes' } }),
    `${SUBSCRIPTIONS}/email`,
  ],
  [
    'a message type that is text',
    profile({ email, subscriptions: { email: { marketing: 'SUBSCRIBED' } } }),
    `${SUBSCRIPTIONS}/email/marketing`,
  ],
  [
    'an unknown message type',
    profile({ email, subscriptions: { email: { transactional: IN } } }),
    `${SUBSCRIPTIONS}/email/transactional`,
  ],
  [
    'another consent than SUBSCRIBED',
    profile({ email, subscriptions: { email: { marketing: OUT } } }),
    `${SUBSCRIPTIONS}/email/marketing/consent`,
    "'consent' must be 'SUBSCRIBED'.",
  ],
  [
    'no consent',
    profile({ email, subscriptions: { email: { marketing: {} } } }),
    `${SUBSCRIPTIONS}/email/marketing/consent`,
  ],
  [
    'a date of open tracking',
    profile({
      email,
      subscriptions: { email: { open_tracking: { ...IN, consented_at: '2021-03-04T05:06:07Z' } } },
    }),
    `${SUBSCRIPTIONS}/email/open_tracking/consented_at`,
  ],
  [
    'conversational WhatsApp, which can only be removed',
    profile({ phone_number, subscriptions: { whatsapp: { conversational: IN } } }),
    `${SUBSCRIPTIONS}/whatsapp/conversational`,
  ],
  [
    'WhatsApp without a phone',
    profile({ email, subscriptions: { whatsapp: { marketing: IN } } }),
    `${ROW}/attributes/phone_number`,
    "'phone_number' must not be empty when the whatsapp channel is included in 'subscriptions'.",
  ],
  [
    'e-mail by an id alone',
    profile({ subscriptions: MAIL }, '01H0000000000000000000000A'),
    `${ROW}/attributes/email`,
    "'email' must not be empty when the email channel is included in 'subscriptions'.",
  ],
  [
    'an unknown id',
    profile({ email, subscriptions: MAIL }, '01H0000000000000000000000A'),
    `${ROW}/id`,
  ],
  [
    'push to nobody',
    profile({ subscriptions: { push: { marketing: IN, tokens: [token('t1')] } } }),
    `${ROW}/attributes/email`,
  ],
  [
    'push without its message type',
    profile({ email, subscriptions: { ...MAIL, push: { tokens: [token('t1')] } } }),
    `${SUBSCRIPTIONS}/push/marketing`,
  ],
  [
    'tokens that are not a list',
    profile({ email, subscriptions: { push: { marketing: IN, tokens: 't1' } } }),
    `${SUBSCRIPTIONS}/push/tokens`,
  ],
  [
    'a token that is only text',
    profile({ email, subscriptions: { push: { marketing: IN, tokens: ['t1'] } } }),
    `${SUBSCRIPTIONS}/push/tokens/0`,
  ],
  [
    'a token without a platform',
    profile({
      email,
      subscriptions: { push: { marketing: IN, tokens: [{ token: 't1', vendor: 'fcm' }] } },
    }),
    `${SUBSCRIPTIONS}/push/tokens/0/platform`,
  ],
  [
    'a token of an unknown vendor',
    profile({
      email,
      subscriptions: {
        push: { marketing: IN, tokens: [token('t1'), { ...token('t2'), vendor: 'x' }] },
      },
    }),
    `${SUBSCRIPTIONS}/push/tokens/1/vendor`,
  ],
  [
    'an anonymous id that is a number',
    profile({ email, subscriptions: { push: { marketing: IN, anonymous_id: 5 } } }),
    `${SUBSCRIPTIONS}/push/anonymous_id`,
  ],
];

function token(text: string) {
  return { token: text, platform: 'ios', vendor: 'apns' };
}

for (const [name, row, pointer, detail] of BAD_ROWS) {
  test(`refuses ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const { status, errors } = await refusal(await subscribe(sandbox, [row], { list: 'Single' }));
    assert.deepEqual([status, errors.map(([at]) => at)], [400, [pointer]]);
    if (detail !== undefined) assert.equal(errors[0]![1], detail);
    sandbox.account.advance(HOUR);
    assert.equal(sandbox.account.profiles.size, 0);
  });
}

const good = profile({ email, subscriptions: MAIL });
const BAD_JOBS: [name: string, attributes: object, pointer: string][] = [
  ['historical_import that is text', { historical_import: 'true' }, 'historical_import'],
  ['custom_source that is a number', { custom_source: 5 }, 'custom_source'],
  ['an unknown attribute', { list_id: 'Single' }, 'list_id'],
];
for (const [name, attributes, field] of BAD_JOBS) {
  test(`refuses ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const { status, errors } = await refusal(await subscribe(sandbox, [good], attributes));
    assert.deepEqual([status, errors[0]![0]], [400, `/data/attributes/${field}`]);
  });
}

const LIST = '/data/relationships/list/data';
const BAD_LISTS: [name: string, data: unknown, pointer: string][] = [
  ['a list that is text', 'Single', LIST],
  ['a list of another type', { type: 'segment', id: 'Single' }, `${LIST}/type`],
  ['a list without an id', { type: 'list' }, `${LIST}/id`],
];
for (const [name, data, pointer] of BAD_LISTS) {
  test(`refuses ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const body = subscribeBody([good]);
    const relationships = { list: { data } };
    const sent = { data: { ...body.data, relationships } };
    const { status, errors } = await refusal(await call(sandbox, 'POST', SUBSCRIBE, sent));
    assert.deepEqual([status, errors[0]![0]], [400, pointer]);
  });
}

test('accepts null for everything that may be absent', async (t) => {
  const sandbox = await sandboxFor(t, { account: { defaultOptIn: 'single_opt_in' } });
  const marketing = { ...IN, consented_at: null };
  const row = profile({
    email,
    phone_number: null,
    age_gated_date_of_birth: null,
    subscriptions: { email: { marketing, open_tracking: null }, sms: null, push: null },
  });
  const body = subscribeBody([row]);
  const attributes = { ...body.data.attributes, historical_import: null, custom_source: null };
  const sent = { data: { ...body.data, attributes, relationships: {} } };
  assert.equal((await call(sandbox, 'POST', SUBSCRIBE, sent)).status, 202);
  sandbox.account.advance(HOUR);
  assert.equal(
    sandbox.account.truthFor({ email })?.subscriptions.email.marketing.consent,
    'SUBSCRIBED',
  );
});

test('1,000 rows with a million characters are accepted', async (t) => {
  const sandbox = await sandboxFor(t);
  const rows = Array.from({ length: 1_000 }, (_, i) =>
    profile({ email: `p${i}.${'x'.repeat(900)}@shop.test`, subscriptions: MAIL }),
  );
  assert.equal((await subscribe(sandbox, rows, { list: 'Single' })).status, 202);
});

/** Rows that name one person twice, with the pointer that is refused. */
const REPEATED: [name: string, rows: (id: string) => object[], pointer: string][] = [
  [
    'a phone under two e-mails',
    () =>
      ['a@shop.test', 'b@shop.test'].map((address) => rowWith({ email: address, phone_number })),
    'attributes/phone_number',
  ],
  [
    'an id twice',
    (id) => [1, 2].map(() => profile({ subscriptions: { push: { marketing: IN } } }, id)),
    'id',
  ],
  [
    'an anonymous id twice',
    () => {
      const push = { marketing: IN, anonymous_id: 'device-7' };
      return [1, 2].map(() => profile({ subscriptions: { push } }));
    },
    'attributes/subscriptions/push/anonymous_id',
  ],
];
const rowWith = (attributes: object) => profile({ ...attributes, subscriptions: MAIL });

for (const [name, rows, place] of REPEATED) {
  test(`refuses ${name} if the switch refuses duplicates`, async (t) => {
    const options: SandboxOptions = { switches: { duplicateRows: 'reject' } };
    const sandbox = await sandboxFor(t, options);
    sandbox.account.seed({ email, phone_number });
    const { id } = sandbox.account.truthFor({ email })!;
    const { status, errors } = await refusal(await subscribe(sandbox, rows(id)));
    const pointer = `/data/attributes/profiles/data/1/${place}`;
    assert.deepEqual(
      [status, errors],
      [400, [[pointer, 'Duplicate profile identifiers in request.']]],
    );
  });
}

for (const duplicateRows of ['accept_last', 'reject'] as const) {
  test(`rows that name one profile by different identifiers are not duplicates: ${duplicateRows}`, async (t) => {
    const sandbox = await sandboxFor(t, { switches: { duplicateRows } });
    sandbox.account.seed({ email, phone_number });
    const rows = [
      rowWith({ email }),
      profile({ phone_number, subscriptions: { sms: { marketing: IN } } }),
    ];
    assert.equal((await subscribe(sandbox, rows, { list: 'Single' })).status, 202);
    sandbox.account.advance(HOUR);
    const { email: mail, sms } = sandbox.account.truthFor({ email })!.subscriptions;
    assert.deepEqual([mail.marketing.consent, sms.marketing.consent], ['SUBSCRIBED', 'SUBSCRIBED']);
  });
}
