import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { WebhookCreateQuery } from 'klaviyo-api';
import { officialClient, refusedWith, type Official } from './support.js';

const ALLOWED = { switches: { webhooks: 'allowed' } } as const;
const TOPIC = 'event:klaviyo.subscribed_to_email_marketing';

const createQuery = (name: string): WebhookCreateQuery => ({
  data: {
    type: 'webhook',
    attributes: {
      name,
      endpointUrl: 'https://hooks.example.com/klaviyo/consent',
      secretKey: 'at-least-sixteen-letters',
    },
    relationships: { webhookTopics: { data: [{ type: 'webhook-topic', id: TOPIC }] } },
  },
});

/** Klaviyo's limit is one call per second. */
async function create(client: Official, name: string): Promise<string> {
  const { body } = await client.webhooks.createWebhook(createQuery(name));
  client.after(1_000);
  return body.data.id;
}

describe('the official client manages webhooks', () => {
  it('creates, reads, changes and deletes a webhook', async (t) => {
    const { webhooks } = await officialClient(t, ALLOWED);
    const { response, body } = await webhooks.createWebhook(createQuery('Consent'));
    assert.equal(response.status, 201);
    const { id, attributes } = body.data;
    assert.deepEqual([attributes.name, attributes.enabled], ['Consent', true]);
    assert.ok(attributes.createdAt instanceof Date);
    const changed = await webhooks.updateWebhook(id, {
      data: { type: 'webhook', id, attributes: { enabled: false, description: 'Paused' } },
    });
    const { enabled, description, name } = changed.body.data.attributes;
    assert.deepEqual([enabled, description, name], [false, 'Paused', 'Consent']);
    const read = await webhooks.getWebhook(id, { include: ['webhook-topics'] });
    assert.equal(read.body.data.attributes.enabled, false);
    assert.ok(
      'https://hooks.example.com/klaviyo/consent' !== read.body.data.attributes.endpointUrl,
    );
    assert.deepEqual(
      read.body.included?.map(({ type, id }) => [type, id]),
      [['webhook-topic', TOPIC]],
    );
    assert.equal((await webhooks.deleteWebhook(id)).response.status, 204);
  });

  it('reads all webhooks with their topics', async (t) => {
    const client = await officialClient(t, ALLOWED);
    const ids = [await create(client, 'One'), await create(client, 'Two')];
    const { body } = await client.webhooks.getWebhooks({
      include: ['webhook-topics'],
      fieldsWebhook: ['name'],
    });
    assert.deepEqual(body.data.map(({ id }) => id).sort(), [...ids].sort());
    assert.deepEqual(body.data.map(({ attributes }) => attributes.name).sort(), ['One', 'Two']);
    assert.deepEqual(
      body.data[0]?.relationships?.webhookTopics?.data?.map(({ id }) => id),
      [TOPIC],
    );
    assert.equal(body.data[0].attributes.createdAt, undefined);
  });

  it('reads the topics, and one of them', async (t) => {
    const { webhooks } = await officialClient(t, ALLOWED);
    const { body } = await webhooks.getWebhookTopics();
    assert.ok(body.data.some(({ id }) => id === TOPIC));
    const one = await webhooks.getWebhookTopic(TOPIC);
    assert.deepEqual([one.body.data.type, one.body.data.id], ['webhook-topic', TOPIC]);
  });

  it('is refused without Advanced KDP, and for an address without https', async (t) => {
    const without = await officialClient(t);
    assert.deepEqual((await refusedWith(without.webhooks.getWebhooks()))[0], 403);
    const { webhooks } = await officialClient(t, ALLOWED);
    const query = createQuery('Plain');
    query.data.attributes.endpointUrl = 'http://hooks.example.com/klaviyo';
    const [status, [pointer] = []] = await refusedWith(webhooks.createWebhook(query));
    assert.deepEqual([status, pointer], [400, '/data/attributes/endpoint_url']);
  });
});
