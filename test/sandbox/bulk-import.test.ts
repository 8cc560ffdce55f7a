import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../../src/sandbox/index.js';
import {
  call,
  consentOf,
  get,
  HOUR,
  IMPORT,
  refusal,
  sandboxFor,
  type Resource,
} from './support.js';

const email = 'ada@shop.test';

function importInto(sandbox: Sandbox, list: string, rows: readonly object[]): Promise<Response> {
  return call(sandbox, 'POST', IMPORT, {
    data: {
      type: 'profile-bulk-import-job',
      attributes: {
        profiles: { data: rows.map((attributes) => ({ type: 'profile', attributes })) },
      },
      relationships: { lists: { data: [{ type: 'list', id: list }] } },
    },
  });
}

test('makes members without consent, after up to 20 minutes, on a double opt-in list too', async (t) => {
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

test('leaves consent and the date of joining as they are', async (t) => {
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

test('does not store a phone that is none, and tells nobody', async (t) => {
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

test('refuses an unknown list in the words of this endpoint', async (t) => {
  const sandbox = await sandboxFor(t);
  const refused = await refusal(await importInto(sandbox, 'Nowhere', [{ email }]));
  assert.deepEqual(refused.errors, [['/data', 'List ID Nowhere does not exist.']]);
});

test('knows no job of another id', async (t) => {
  const sandbox = await sandboxFor(t);
  assert.equal((await call(sandbox, 'GET', `${IMPORT}/none`)).status, 404);
});
