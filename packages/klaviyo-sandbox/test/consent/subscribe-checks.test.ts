import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SandboxOptions, SeedProfile } from '../../src/index.js';
import { HOUR, refusal, row, sandboxFor, subscribe } from '../support.js';

const at = (i: number, rest: string) => `/data/attributes/profiles/data/${i}/${rest}`;
const CONSENTED_AT = 'attributes/subscriptions/email/marketing/consented_at';
const PHONE = 'attributes/phone_number';
const INVALID_DATE = 'historical email subscription does not have a valid consented_at timestamp';
const NO_SMS: SandboxOptions = { sms: { status: 'none', senders: [] } };

interface Case {
  name: string;
  rows: unknown[];
  pointer: string;
  detail: string | RegExp;
  historical?: boolean;
  list?: string;
  seed?: SeedProfile;
  options?: SandboxOptions;
}

const email = 'ada@shop.test';
const CASES: Case[] = [
  {
    name: 'a phone in a region without a sender, although the e-mail is good',
    rows: [row({ email, phone_number: '+491713920099' }, ['email', 'sms'])],
    pointer: at(0, PHONE),
    detail: 'Phone number is valid but is not in a supported region for this account.',
  },
  {
    name: 'a Puerto Rican phone if only the US and Canada have senders',
    rows: [row({ phone_number: '+17875550123' }, ['sms'])],
    pointer: at(0, PHONE),
    detail: 'Phone number is valid but is not in a supported region for this account.',
  },
  {
    name: 'a phone of Guernsey if only the United Kingdom has a sender',
    rows: [row({ phone_number: '+447781123456' }, ['sms'])],
    pointer: at(0, PHONE),
    detail: 'Phone number is valid but is not in a supported region for this account.',
  },
  {
    name: 'a toll-free number, which gets no texts',
    rows: [row({ phone_number: '+18885550123' }, ['sms'])],
    pointer: at(0, PHONE),
    detail: 'The phone number provided either does not exist or is ineligible to receive SMS',
  },
  {
    name: 'a badly formed phone alone',
    rows: [row({ phone_number: '201 555 0123' }, ['sms'])],
    pointer: at(0, PHONE),
    detail: /^Invalid phone number format/,
  },
  {
    name: 'a number that does not exist, alone',
    rows: [row({ phone_number: '+15551234567' }, ['sms'])],
    pointer: at(0, PHONE),
    detail: 'The phone number provided either does not exist or is ineligible to receive SMS',
  },
  {
    name: 'a badly formed phone beside a good e-mail under the older rule',
    rows: [row({ email, phone_number: '12' }, ['email', 'sms'])],
    pointer: at(0, PHONE),
    detail: /^Invalid phone number format/,
    options: { switches: { invalidPhoneWithEmail: 'reject' } },
  },
  {
    name: 'a phone alone if SMS is not set up',
    rows: [row({ phone_number: '+12015550123' }, ['sms'])],
    pointer: at(0, PHONE),
    detail: 'SMS configuration is required to subscribe phone number only profiles.',
    options: NO_SMS,
  },
  {
    name: 'the sms channel without a phone',
    rows: [row({ email }, ['email', 'sms'])],
    pointer: at(0, PHONE),
    detail: "'phone_number' must not be empty when the sms channel is included in 'subscriptions'.",
  },
  {
    name: 'a malformed e-mail',
    rows: [row({ email: 'ada@shop' })],
    pointer: at(0, 'attributes/email'),
    detail: 'Invalid email address',
  },
  {
    name: 'consented_at on a live subscribe',
    rows: [row({ email }, ['email'], { consented_at: '2021-03-04T05:06:07Z' })],
    pointer: at(0, CONSENTED_AT),
    detail: "'consented_at' is only allowed when 'historical_import' is true.",
  },
  ...[undefined, '2999-01-01T00:00:00Z', '2021-03-04T05:06:07'].map((consented_at) => ({
    name: `a historical subscribe dated ${consented_at ?? 'never'}`,
    rows: [row({ email }, ['email'], { consented_at })],
    historical: true,
    pointer: at(0, CONSENTED_AT),
    detail: INVALID_DATE,
  })),
  {
    name: 'a historical date before an unsubscribe',
    seed: { email, email_consent: 'UNSUBSCRIBED', consent_timestamp: '2022-05-06T07:08:09Z' },
    rows: [row({ email }, ['email'], { consented_at: '2021-03-04T05:06:07Z' })],
    historical: true,
    pointer: at(0, CONSENTED_AT),
    detail:
      'backdated consent date [2021-03-04 05:06:07+00:00] is before current unsubscription date [2022-05-06 07:08:09+00:00]',
  },
  {
    name: 'a historical date after an earlier subscription',
    seed: { email, email_consent: 'SUBSCRIBED', consent_timestamp: '2020-02-21T05:29:23Z' },
    rows: [row({ email }, ['email'], { consented_at: '2025-07-22T18:22:22Z' })],
    historical: true,
    pointer: at(0, CONSENTED_AT),
    detail:
      'backdated consent date [2025-07-22 18:22:22+00:00] is after current subscription date [2020-02-21 05:29:23+00:00]',
  },
  {
    name: 'an unknown list',
    rows: [row({ email })],
    list: 'Nowhere',
    pointer: '/data/relationships/list/data/id',
    detail: 'List not found with id Nowhere',
  },
  {
    name: 'no rows',
    rows: [],
    pointer: '/data/attributes/profiles/data',
    detail: 'At least one profile is required.',
  },
  {
    name: '1,001 rows',
    rows: Array.from({ length: 1_001 }, (_, i) => row({ email: `p${i}@shop.test` })),
    pointer: '/data/attributes/profiles/data',
    detail: 'The maximum number of profiles per request is 1000; got 1001.',
  },
  {
    name: 'a row without subscriptions',
    rows: [{ type: 'profile', attributes: { email } }],
    pointer: at(0, 'attributes/subscriptions'),
    detail: "'subscriptions' is a required field for the resource 'profile'.",
  },
  {
    name: 'a channel that Klaviyo does not know',
    rows: [row({ email }, ['fax'])],
    pointer: at(0, 'attributes/subscriptions/fax'),
    detail: "'fax' is not a valid field for 'subscriptions'.",
  },
  {
    name: 'a text to somebody without a date of birth, if the account is age-gated',
    rows: [row({ phone_number: '+12015550123' }, ['sms'])],
    options: { account: { ageGated: true } },
    pointer: at(0, 'attributes/age_gated_date_of_birth'),
    detail: 'A date of birth is required to update SMS consent for this account.',
  },
  {
    name: 'a text to an American of 20, if the account is age-gated',
    rows: [row({ phone_number: '+12015550123', age_gated_date_of_birth: birthday(20) }, ['sms'])],
    options: { account: { ageGated: true } },
    pointer: at(0, 'attributes/age_gated_date_of_birth'),
    detail: 'Profile does not meet the minimum age to receive SMS in this region.',
  },
  {
    name: 'a duplicate if the switch refuses it',
    rows: [row({ email }), row({ email: email.toUpperCase() })],
    options: { switches: { duplicateRows: 'reject' } },
    pointer: at(1, 'attributes/email'),
    detail: 'Duplicate profile identifiers in request.',
  },
];

function birthday(age: number): string {
  const date = new Date();
  date.setUTCFullYear(date.getUTCFullYear() - age, 0, 1);
  return date.toISOString().slice(0, 10);
}

for (const { name, rows, pointer, detail, historical, list, seed, options } of CASES) {
  test(`refuses ${name}`, async (t) => {
    const sandbox = await sandboxFor(t, options);
    if (seed !== undefined) sandbox.account.seed(seed);
    const before = [...sandbox.account.truth()];
    const response = await subscribe(sandbox, rows, {
      list: list ?? 'Single',
      ...(historical === undefined ? {} : { historical_import: historical }),
    });
    const { status, errors } = await refusal(response);
    assert.equal(status, 400);
    assert.equal(errors.length, 1);
    assert.equal(errors[0]![0], pointer);
    if (typeof detail === 'string') assert.equal(errors[0]![1], detail);
    else assert.match(errors[0]![1]!, detail);
    sandbox.account.advance(24 * HOUR);
    assert.deepEqual([...sandbox.account.truth()], before, 'nothing was applied');
    assert.deepEqual([...sandbox.account.subscribed()], []);
  });
}

test('names every bad row at once, in no particular order, and applies none of the good ones', async (t) => {
  const sandbox = await sandboxFor(t);
  const rows = [row({ email: 'bad' }), row({ email: 'good@shop.test' }), row({ email: 'worse' })];
  const { errors } = await refusal(await subscribe(sandbox, rows, { list: 'Single' }));
  const pointers = errors.map(([pointer]) => pointer);
  assert.deepEqual(pointers, [at(2, 'attributes/email'), at(0, 'attributes/email')]);
  sandbox.account.advance(HOUR);
  assert.equal(sandbox.account.truthFor({ email: 'good@shop.test' }), undefined);
});

test('names at most as many rows as the switch says', async (t) => {
  const sandbox = await sandboxFor(t, { switches: { errorsPerAnswer: 1 } });
  const rows = [row({ email: 'bad' }), row({ email: 'worse' })];
  assert.equal((await refusal(await subscribe(sandbox, rows))).errors.length, 1);
});

test('drops a malformed phone beside a valid e-mail and only says so in a header', async (t) => {
  const sandbox = await sandboxFor(t);
  const rows = [row({ email, phone_number: '0201' }, ['email', 'sms'])];
  const response = await subscribe(sandbox, rows, { list: 'Single' });
  assert.equal(response.status, 202);
  assert.equal(response.headers.get('x-klaviyo-partial-failure'), 'phone_number');
  assert.equal(await response.text(), '');
  sandbox.account.advance(HOUR);
  const truth = sandbox.account.truthFor({ email });
  assert.equal(truth?.phone_number, null);
  assert.equal(truth?.subscriptions.email.marketing.consent, 'SUBSCRIBED');
  assert.equal(truth?.subscriptions.sms.marketing.consent, 'NEVER_SUBSCRIBED');
});

test('reports no partial failure if every phone was used', async (t) => {
  const sandbox = await sandboxFor(t);
  const response = await subscribe(sandbox, [row({ email })], { list: 'Single' });
  assert.equal(response.headers.get('x-klaviyo-partial-failure'), null);
});

test('accepts an adult if the account is age-gated', async (t) => {
  const sandbox = await sandboxFor(t, { account: { ageGated: true } });
  const adult = { phone_number: '+12015550123', age_gated_date_of_birth: birthday(22) };
  assert.equal((await subscribe(sandbox, [row(adult, ['sms'])])).status, 202);
});
