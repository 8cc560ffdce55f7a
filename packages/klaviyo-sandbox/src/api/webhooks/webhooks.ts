import type { SandboxAccount } from '../../account/account.js';
import type { Webhook } from '../../account/events/webhook.js';
import { isoDate } from '../../time/dates.js';
import { notFound } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';
import { linksOf } from '../page.js';
import type { Query } from '../query/query.js';
import { unknownId } from '../unknown-id.js';
import { topicResource } from './topics.js';
import { newWebhook, webhookChanges } from './webhook-body.js';

/** `get_webhooks`: one page holds all. */
export function getWebhooks({ account, query, url }: Call): Reply {
  const webhooks = account.webhooks.all();
  const data = webhooks.map((webhook) => webhookResource(webhook, query, url.origin));
  const included = includedTopics(webhooks, query, url.origin);
  return { status: 200, body: { data, ...included, links: linksOf(url, null) } };
}

/** `get_webhook` */
export function getWebhook({ account, id, query, url }: Call): Reply {
  const webhook = account.webhooks.get(id);
  if (webhook === undefined) throw unknownId(account, 'webhook', id);
  const included = includedTopics([webhook], query, url.origin);
  return answer(200, webhook, { query, url }, included);
}

/** `create_webhook` */
export function createWebhook({ account, body, query, url }: Call): Reply {
  return answer(201, account.webhooks.create(newWebhook(body)), { query, url });
}

/** `update_webhook` */
export function updateWebhook({ account, id, body, query, url }: Call): Reply {
  const webhook = knownWebhook(account, id);
  account.webhooks.update(webhook, webhookChanges(body, id));
  return answer(200, webhook, { query, url });
}

/** `delete_webhook`: pending events are no longer delivered. */
export function deleteWebhook({ account, id }: Call): Reply {
  account.webhooks.remove(knownWebhook(account, id));
  return { status: 204 };
}

/** @throws ApiError 404 */
function knownWebhook(account: SandboxAccount, id: string): Webhook {
  const webhook = account.webhooks.get(id);
  if (webhook === undefined) throw notFound('webhook', id);
  return webhook;
}

function answer(
  status: number,
  webhook: Webhook,
  { query, url }: { query: Query; url: URL },
  included: object = {},
): Reply {
  const data = webhookResource(webhook, query, url.origin);
  return { status, body: { data, ...included, links: { self: url.href } } };
}

/** Recorded: the endpoint's path is masked. */
function webhookResource(webhook: Webhook, query: Query, origin: string) {
  const { id, name, description, endpointUrl, enabled, created, updated, topics } = webhook;
  return {
    type: 'webhook',
    id,
    attributes: query.pick('webhook', {
      name,
      description,
      endpoint_url: `${endpointUrl.origin}/*****`,
      enabled,
      created_at: isoDate(created),
      updated_at: isoDate(updated),
    }),
    relationships: {
      'webhook-topics': { data: topics.map((topic) => ({ type: 'webhook-topic', id: topic })) },
    },
    links: { self: `${origin}/api/webhooks/${id}/` },
  };
}

function includedTopics(webhooks: readonly Webhook[], query: Query, origin: string) {
  if (!query.includes('webhook-topics')) return {};
  const topics = new Set(webhooks.flatMap((webhook) => webhook.topics));
  return { included: [...topics].sort().map((id) => topicResource(id, origin)) };
}
