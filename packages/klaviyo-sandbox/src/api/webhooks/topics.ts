import { TOPICS } from '../../account/events/webhook.js';
import type { Call, Reply } from '../operation.js';
import { linksOf } from '../page.js';
import { unknownId } from '../unknown-id.js';

/** `get_webhook_topics`: one page holds all. */
export function getWebhookTopics({ url }: Call): Reply {
  const data = TOPICS.map((id) => topicResource(id, url.origin));
  return { status: 200, body: { data, links: linksOf(url, null) } };
}

/** `get_webhook_topic` */
export function getWebhookTopic({ account, id, url }: Call): Reply {
  if (!TOPICS.includes(id)) throw unknownId(account, 'webhook-topic', id);
  return { status: 200, body: { data: topicResource(id, url.origin), links: { self: url.href } } };
}

export function topicResource(id: string, origin: string): object {
  return { type: 'webhook-topic', id, links: { self: `${origin}/api/webhook-topics/${id}/` } };
}
