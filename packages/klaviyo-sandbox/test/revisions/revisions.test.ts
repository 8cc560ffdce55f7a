import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATIONS } from '../../src/api/operations.js';
import { operationAt } from '../../src/api/revisions/operations.js';
import {
  call,
  refusal,
  sandboxFor,
  subscribeBody,
  SUBSCRIBE,
  UNSUBSCRIBE,
  type PageBody,
  type Subscriptions,
} from '../support.js';

const OLD = { revision: '2026-07-15' };
const NEW = { revision: '2026-10-15' };
const EMAIL = 'ada@shop.test';
const PROFILES = '/api/profiles?additional-fields[profile]=subscriptions';

const personWith = (subscriptions: object) => ({
  type: 'profile',
  attributes: { email: EMAIL, subscriptions },
});

const unsubscribeBody = (row: object) => ({
  data: { type: 'profile-subscription-bulk-delete-job', attributes: { profiles: { data: [row] } } },
});

/** Status of the answer, and the revision in it. */
async function served(
  sandbox: Awaited<ReturnType<typeof sandboxFor>>,
  path: string,
  revision: string,
): Promise<[number, string | null]> {
  const { status, headers } = await call(sandbox, 'GET', path, undefined, { revision });
  return [status, headers.get('x-klaviyo-api-revision')];
}

const SENDERS = '/api/text-messaging-senders';
const EXPORT = '/api/profile-bulk-export-jobs/none';

test('serves both revisions, each with its beta, and names the one used', async (t) => {
  const sandbox = await sandboxFor(t, { switches: { bulkExport: 'allowed' } });
  for (const revision of ['2026-07-15', '2026-07-15.pre', '2026-10-15', '2026-10-15.pre']) {
    assert.deepEqual(await served(sandbox, '/api/lists', revision), [200, revision]);
  }
});

for (const [path, statuses] of [
  [SENDERS, { '2026-07-15': 404, '2026-07-15.pre': 200, '2026-10-15': 200, '2026-10-15.pre': 200 }],
  ['/api/text-messaging-sender-registrations/none', { '2026-07-15.pre': 404, '2026-10-15': 404 }],
] as const) {
  for (const [revision, status] of Object.entries(statuses)) {
    test(`GET ${path} by ${revision} is ${status}`, async (t) => {
      const sandbox = await sandboxFor(t);
      assert.equal((await served(sandbox, path, revision))[0], status);
    });
  }
}

test('the bulk export is a beta in both revisions', async (t) => {
  const sandbox = await sandboxFor(t, { switches: { bulkExport: 'allowed' } });
  const said = async (revision: string) =>
    (await refusal(await call(sandbox, 'GET', EXPORT, undefined, { revision }))).errors[0]![1];
  for (const revision of ['2026-07-15', '2026-10-15']) {
    assert.equal(await said(revision), 'No valid revisions found for method');
    assert.match((await said(`${revision}.pre`))!, /does not exist/);
  }
});

test('an operation that the newer revision added does not exist in the older one', async (t) => {
  const sandbox = await sandboxFor(t);
  const path = '/api/text-messaging-sender-registrations/none';
  const old = await refusal(await call(sandbox, 'GET', path, undefined, OLD));
  assert.match(old.errors[0]![1]!, /^The revision 2026-07-15 is before .+ after 2026-10-15$/);
  const now = await refusal(await call(sandbox, 'GET', path, undefined, NEW));
  assert.match(now.errors[0]![1]!, /does not exist/);
});

test('text messaging has other limits and its own counters since it left the beta', async (t) => {
  const sandbox = await sandboxFor(t);
  const limits = async (revision: string) => {
    const { headers } = await call(sandbox, 'GET', SENDERS, undefined, { revision });
    return [headers.get('ratelimit-limit'), headers.get('ratelimit-remaining')];
  };
  assert.deepEqual(await limits('2026-07-15.pre'), ['10, 10;w=1, 150;w=60', '9']);
  assert.deepEqual(await limits('2026-10-15'), ['3, 3;w=1, 60;w=60', '2']);
});

test('faults and counters accept the text messaging names of either revision', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.addFault({ endpoint: 'get_text_messaging_senders', kind: '503', times: 1 });
  assert.equal((await served(sandbox, SENDERS, '2026-07-15.pre'))[0], 200);
  assert.equal((await served(sandbox, SENDERS, '2026-10-15'))[0], 503);
  assert.deepEqual(
    sandbox.account.requests().map(({ operation }) => operation),
    ['get_text_messaging_senders_beta', 'get_text_messaging_senders'],
  );
});

test('the newer revision gives and removes click tracking', async (t) => {
  const sandbox = await sandboxFor(t, { delays: 'fast' });
  const read = async (headers: typeof OLD): Promise<Record<string, unknown>> => {
    const answer = await call(sandbox, 'GET', PROFILES, undefined, headers);
    const { data } = (await answer.json()) as PageBody;
    const { email } = data[0]!.attributes.subscriptions as Subscriptions & {
      email: { click_tracking: Record<string, unknown> };
    };
    return { ...email.click_tracking, marketing: email.marketing['consent'] };
  };
  const asked = personWith({ email: { click_tracking: { consent: 'SUBSCRIBED' } } });
  const body = subscribeBody([asked], { list: 'Single' });
  assert.equal((await call(sandbox, 'POST', SUBSCRIBE, body, NEW)).status, 202);
  sandbox.account.advance(1_000);
  const given = await read(NEW);
  assert.deepEqual(
    [given['consent'], given['can_receive'], given['valid_until'], given['marketing']],
    ['SUBSCRIBED', true, null, 'NEVER_SUBSCRIBED'],
    'consent to tracking is not consent to mail',
  );
  assert.deepEqual(await read(OLD), given, 'the older revision shows it in the same shape');
  assert.equal(sandbox.account.truthFor({ email: EMAIL })!.lists.length, 0);

  const leaves = personWith({ email: { click_tracking: { consent: 'UNSUBSCRIBED' } } });
  const left = await call(sandbox, 'POST', UNSUBSCRIBE, unsubscribeBody(leaves), NEW);
  assert.equal(left.status, 202);
  assert.equal((await read(NEW))['consent'], 'UNSUBSCRIBED');
});

test('click tracking waits for the same click as the consent beside it', async (t) => {
  const sandbox = await sandboxFor(t, { delays: 'fast' });
  const consent = { consent: 'SUBSCRIBED' };
  const asked = personWith({ email: { marketing: consent, click_tracking: consent } });
  const body = subscribeBody([asked], { list: 'Double' });
  assert.equal((await call(sandbox, 'POST', SUBSCRIBE, body, NEW)).status, 202);
  sandbox.account.advance(1_000);
  assert.equal(sandbox.account.truthFor({ email: EMAIL }), undefined);
  sandbox.account.click({ email: EMAIL });
  sandbox.account.advance(1_000);
  const { click_tracking } = sandbox.account.truthFor({ email: EMAIL })!.subscriptions.email;
  assert.equal(click_tracking.consent, 'SUBSCRIBED');
});

const ROW = '/data/attributes/profiles/data/0/attributes/subscriptions/email/click_tracking';

for (const [name, headers, parameters, pointer] of [
  ['by the older revision', OLD, { consent: 'SUBSCRIBED' }, ROW],
  ['with a date', NEW, { consent: 'SUBSCRIBED', consented_at: null }, `${ROW}/consented_at`],
  ['with another value', NEW, { consent: 'UNSUBSCRIBED' }, `${ROW}/consent`],
] as const) {
  test(`click tracking is refused ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const body = subscribeBody([personWith({ email: { click_tracking: parameters } })]);
    const refused = await refusal(await call(sandbox, 'POST', SUBSCRIBE, body, headers));
    assert.deepEqual([refused.status, refused.errors[0]![0]], [400, pointer]);
  });
}

test('sparse fields name click tracking in the newer revision', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email: EMAIL, click_tracking_consent: 'UNSUBSCRIBED' });
  const path = `${PROFILES}&fields[profile]=subscriptions.email.click_tracking.consent`;
  assert.equal((await call(sandbox, 'GET', path, undefined, OLD)).status, 400);
  const answer = await call(sandbox, 'GET', path, undefined, NEW);
  assert.deepEqual(((await answer.json()) as PageBody).data[0]!.attributes, {
    subscriptions: { email: { click_tracking: { consent: 'UNSUBSCRIBED' } } },
  });
});

const APPEND = { patch_properties: { append: { skus: '92538' } } };

for (const [name, headers, inside, beside] of [
  ['the older revision, inside', OLD, { meta: APPEND }, {}],
  ['the newer revision, beside', NEW, {}, { meta: APPEND }],
] as const) {
  test(`the meta of a push token’s profile is, for ${name} its attributes`, async (t) => {
    const sandbox = await sandboxFor(t);
    const post = (attributes: object, more: object, revision = headers) =>
      call(
        sandbox,
        'POST',
        '/api/push-tokens',
        {
          data: {
            type: 'push-token',
            attributes: {
              token: 'token-1',
              platform: 'ios',
              vendor: 'apns',
              profile: {
                data: { type: 'profile', attributes: { email: EMAIL, ...attributes }, ...more },
              },
            },
          },
        },
        revision,
      );
    assert.equal((await post(inside, beside)).status, 202);
    const answer = await call(sandbox, 'GET', '/api/profiles', undefined, headers);
    const { data } = (await answer.json()) as PageBody;
    assert.deepEqual(data[0]!.attributes['properties'], { skus: ['92538'] });
    const refused = await refusal(await post({ meta: APPEND }, {}, NEW));
    assert.deepEqual(
      [refused.status, refused.errors[0]![0]],
      [400, '/data/attributes/profile/data/attributes/meta'],
    );
  });
}

test('agent hints are given if the switch says so, but not in betas and errors', async (t) => {
  const sandbox = await sandboxFor(t);
  const hints = async (headers: typeof OLD, path = '/api/lists') => {
    const answer = await call(sandbox, 'GET', path, undefined, headers);
    return ((await answer.json()) as { meta?: { agent_hints: { next_steps: string[] } } }).meta;
  };
  assert.equal(await hints(NEW), undefined);
  sandbox.account.settings.switches.agentHints = 'given';
  assert.equal((await hints(NEW))?.agent_hints.next_steps.length, 1);
  assert.equal((await hints(OLD))?.agent_hints.next_steps.length, 1);
  assert.equal(await hints({ revision: '2026-07-15.pre' }, SENDERS), undefined);
  assert.equal(await hints(NEW, '/api/lists/none'), undefined, 'no hints with an error');
});

test('names of operations are unique in every revision', () => {
  for (const date of ['2026-07-15', '2026-10-15'] as const) {
    const names = OPERATIONS.flatMap((operation) => operationAt(operation, date)?.name ?? []);
    assert.deepEqual(names, [...new Set(names)]);
  }
});
