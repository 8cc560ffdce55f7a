import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Sandbox, SandboxOptions } from '../../src/index.js';
import { call, refusal, sandboxFor } from '../support.js';

const SECRET = 'a secret of some length';
const TOPICS = [
  'event:klaviyo.subscribed_to_email_marketing',
  'event:klaviyo.unsubscribed_from_email_marketing',
];

const allowed = (t: TestContext, options: SandboxOptions = {}) =>
  sandboxFor(t, { switches: { webhooks: 'allowed', ...options.switches } });

/** One call, beyond the limit of 15 a minute. */
async function api(sandbox: Sandbox, method: string, path: string, body?: unknown) {
  sandbox.account.advance(60_000);
  return call(sandbox, method, path, body);
}

interface Answer {
  data: {
    id: string;
    attributes: Record<string, unknown>;
    relationships: { 'webhook-topics': { data: { id: string }[] } };
  };
  included?: { id: string }[];
}

const answerOf = async (response: Promise<Response>) => (await (await response).json()) as Answer;

function request(
  attributes: Record<string, unknown> = {},
  topics: unknown = TOPICS.map((id) => ({ type: 'webhook-topic', id })),
) {
  const usual = { name: 'Consent', endpoint_url: 'https://hooks.example/a/b', secret_key: SECRET };
  return {
    data: {
      type: 'webhook',
      attributes: { ...usual, ...attributes },
      relationships: { 'webhook-topics': { data: topics } },
    },
  };
}

const patch = (id: string, attributes: Record<string, unknown>, topics?: readonly string[]) => ({
  data: {
    type: 'webhook',
    id,
    attributes,
    ...(topics === undefined
      ? {}
      : {
          relationships: {
            'webhook-topics': {
              data: topics.map((topic) => ({ type: 'webhook-topic', id: topic })),
            },
          },
        }),
  },
});

describe('webhooks', () => {
  const calls: [method: string, path: string, body?: unknown][] = [
    ['GET', '/api/webhooks'],
    ['POST', '/api/webhooks', request()],
    ['GET', '/api/webhooks/01HF7AYTK76RHR4F17G6DGTRGF'],
    ['PATCH', '/api/webhooks/01HF7AYTK76RHR4F17G6DGTRGF', patch('x', {})],
    ['DELETE', '/api/webhooks/01HF7AYTK76RHR4F17G6DGTRGF'],
    ['GET', '/api/webhook-topics'],
    ['GET', '/api/webhook-topics/event:klaviyo.sent_sms'],
  ];
  for (const [method, path, body] of calls) {
    it(`refuses a private key ${method} ${path}, with the recorded wording`, async (t) => {
      const sandbox = await sandboxFor(t);
      assert.deepEqual(await refusal(await call(sandbox, method, path, body)), {
        status: 403,
        errors: [['/data/', 'You must have Advanced KDP enabled to use this endpoint.']],
      });
    });
  }

  it('are created, read, changed and deleted', async (t) => {
    const sandbox = await allowed(t);
    const made = await api(sandbox, 'POST', '/api/webhooks', request({ description: 'All of it' }));
    assert.equal(made.status, 201);
    const { data } = (await made.json()) as Answer;
    assert.match(data.id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
    const { created_at, updated_at, ...shown } = data.attributes;
    assert.deepEqual(shown, {
      name: 'Consent',
      description: 'All of it',
      endpoint_url: 'https://hooks.example/*****',
      enabled: true,
    });
    assert.equal(created_at, updated_at);
    const topicsOf = (answer: Answer) =>
      answer.data.relationships['webhook-topics'].data.map(({ id }) => id);
    assert.deepEqual(topicsOf({ data }), TOPICS);

    const path = `/api/webhooks/${data.id}`;
    const read = await answerOf(api(sandbox, 'GET', `${path}?include=webhook-topics`));
    assert.deepEqual(read.data, data);
    assert.deepEqual(
      read.included?.map(({ id }) => id),
      TOPICS,
    );

    const changes = { name: 'Opt-outs', description: null, enabled: false };
    const changed = await answerOf(
      api(sandbox, 'PATCH', path, patch(data.id, changes, [TOPICS[1]!])),
    );
    assert.deepEqual(topicsOf(changed), [TOPICS[1]]);
    const { name, description, enabled } = changed.data.attributes;
    // A null is ignored (recorded).
    assert.deepEqual([name, description, enabled], ['Opt-outs', 'All of it', false]);

    const all = await api(sandbox, 'GET', '/api/webhooks?fields[webhook]=name');
    const { data: list } = (await all.json()) as { data: Answer['data'][] };
    assert.deepEqual(
      list.map(({ id, attributes }) => [id, attributes]),
      [[data.id, { name: 'Opt-outs' }]],
    );

    assert.equal((await api(sandbox, 'DELETE', path)).status, 204);
    assert.equal((await api(sandbox, 'GET', path)).status, 404);
    assert.equal((await api(sandbox, 'DELETE', path)).status, 404);
  });

  const bad: [what: string, body: unknown, pointer: string][] = [
    ['http', request({ endpoint_url: 'http://hooks.example/a' }), '/data/attributes/endpoint_url'],
    ['no address', request({ endpoint_url: 'hooks' }), '/data/attributes/endpoint_url'],
    ['a short secret', request({ secret_key: 'too short' }), '/data/attributes/secret_key'],
    ['no secret', request({ secret_key: null }), '/data/attributes/secret_key'],
    ['a blank name', request({ name: ' ' }), '/data/attributes/name'],
    ['a number for a name', request({ name: 7 }), '/data/attributes/name'],
    ['an unknown attribute', request({ enabled: true }), '/data/attributes/enabled'],
    ['no topic', request({}, []), '/data/relationships/webhook-topics/data'],
    ['no list of topics', request({}, 'all'), '/data/relationships/webhook-topics/data'],
    [
      'an unknown topic',
      request({}, [{ type: 'webhook-topic', id: 'event:klaviyo.nope' }]),
      '/data/relationships/webhook-topics/data/0/id',
    ],
    [
      'a topic of another type',
      request({}, [{ type: 'topic', id: TOPICS[0] }]),
      '/data/relationships/webhook-topics/data/0',
    ],
  ];
  for (const [what, body, pointer] of bad) {
    it(`are not created with ${what}`, async (t) => {
      const sandbox = await allowed(t);
      const { status, errors } = await refusal(await call(sandbox, 'POST', '/api/webhooks', body));
      assert.deepEqual([status, errors.map(([at]) => at)], [400, [pointer]]);
      assert.deepEqual(sandbox.account.webhooks.all(), []);
    });
  }

  it('can be on this machine without https', async (t) => {
    const sandbox = await allowed(t);
    for (const host of ['127.0.0.1:8080', 'localhost', '[::1]:9']) {
      const body = request({ endpoint_url: `http://${host}/hook` });
      const { data } = await answerOf(api(sandbox, 'POST', '/api/webhooks', body));
      assert.equal(data.attributes['endpoint_url'], `http://${host}/*****`);
    }
  });

  it('are only changed under the id in the path', async (t) => {
    const sandbox = await allowed(t);
    const { data } = await answerOf(api(sandbox, 'POST', '/api/webhooks', request()));
    for (const id of ['01HF7AYTK76RHR4F17G6DGTRGF', undefined]) {
      const body = patch(id as string, { name: 'Other' });
      const response = await api(sandbox, 'PATCH', `/api/webhooks/${data.id}`, body);
      assert.equal((await refusal(response)).errors[0]?.[0], '/data/id');
    }
    assert.equal(sandbox.account.webhooks.get(data.id)?.name, 'Consent');
  });
});

describe('webhook topics', () => {
  it('are listed and read', async (t) => {
    const sandbox = await allowed(t);
    const response = await api(sandbox, 'GET', '/api/webhook-topics');
    const { data } = (await response.json()) as { data: { id: string }[] };
    const ids = data.map(({ id }) => id);
    for (const topic of [...TOPICS, 'event:klaviyo.subscribed_to_list', 'event:klaviyo.sent_sms']) {
      assert.ok(ids.includes(topic), topic);
    }
    const one = await answerOf(api(sandbox, 'GET', `/api/webhook-topics/${TOPICS[0]}`));
    assert.deepEqual(one.data, data[ids.indexOf(TOPICS[0]!)]);
    const unknown = await api(sandbox, 'GET', '/api/webhook-topics/event:klaviyo.nope');
    assert.deepEqual(await refusal(unknown), { status: 404, errors: [['/data/', 'Not found.']] });
  });
});
