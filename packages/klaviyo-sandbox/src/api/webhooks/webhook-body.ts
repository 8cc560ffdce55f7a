import { TOPICS, type WebhookSettings } from '../../account/events/webhook.js';
import { isBoolean, isObject, isText, optional, resourceOf, type Json } from '../http/body.js';
import { ApiError, missing, refuse } from '../http/errors.js';

const CREATED = new Set(['name', 'description', 'endpoint_url', 'secret_key']);
const CHANGED = new Set([...CREATED, 'enabled']);
const TOPIC_LIST = '/data/relationships/webhook-topics';
const SHORTEST_SECRET = 16;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** The fields of `create_webhook`. @throws ApiError 400 */
export function newWebhook(body: unknown): WebhookSettings {
  const { attributes, relationships } = resourceOf(body, 'webhook', CREATED);
  const settings = settingsIn(attributes);
  const topics = topicsIn(relationships);
  for (const field of ['name', 'endpoint_url', 'secret_key']) {
    if ((attributes[field] ?? null) !== null) continue;
    throw new ApiError(400, [missing(`/data/attributes/${field}`, field, 'webhook')]);
  }
  if (topics === null) throw new ApiError(400, [missing(TOPIC_LIST, 'webhook-topics', 'webhook')]);
  const { name, endpointUrl, secretKey, description = null } = settings;
  return { name: name!, endpointUrl: endpointUrl!, secretKey: secretKey!, description, topics };
}

/** The fields of `update_webhook`. A null changes nothing (recorded). @throws ApiError 400 */
export function webhookChanges(
  body: unknown,
  id: string,
): Partial<WebhookSettings> & { enabled?: boolean } {
  const { attributes, relationships } = resourceOf(body, 'webhook', CHANGED);
  checkId(body, id);
  const enabled = optional(attributes, 'enabled', isBoolean, 'boolean');
  const topics = topicsIn(relationships);
  return {
    ...settingsIn(attributes),
    ...(enabled === null ? {} : { enabled }),
    ...(topics === null ? {} : { topics }),
  };
}

/** The wording for invalid values is ours, here and below. */
function settingsIn(attributes: Json): Partial<WebhookSettings> {
  const name = optional(attributes, 'name', isText, 'string');
  const description = optional(attributes, 'description', isText, 'string');
  const endpoint = optional(attributes, 'endpoint_url', isText, 'string');
  const secretKey = optional(attributes, 'secret_key', isText, 'string');
  if (name?.trim() === '') throw refuse('/data/attributes/name', 'This field may not be blank.');
  if (secretKey !== null && secretKey.length < SHORTEST_SECRET) {
    throw refuse(
      '/data/attributes/secret_key',
      `The secret key must have at least ${SHORTEST_SECRET} characters.`,
    );
  }
  return {
    ...(name === null ? {} : { name }),
    ...(description === null ? {} : { description }),
    ...(endpoint === null ? {} : { endpointUrl: endpointAt(endpoint) }),
    ...(secretKey === null ? {} : { secretKey }),
  };
}

/**
 * Klaviyo only accepts https. The sandbox also accepts http to this machine, so that a receiver can
 * be tested without a certificate.
 */
function endpointAt(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:') return url;
  if (url?.protocol === 'http:' && LOOPBACK.test(url.hostname)) return url;
  throw refuse('/data/attributes/endpoint_url', 'The endpoint url must be a valid https url.');
}

function topicsIn(relationships: Json): string[] | null {
  const relation = relationships['webhook-topics'] ?? undefined;
  if (relation === undefined) return null;
  const data = isObject(relation) ? relation['data'] : undefined;
  if (!Array.isArray(data)) throw refuse(`${TOPIC_LIST}/data`, 'Not a valid list.');
  if (data.length === 0) throw refuse(`${TOPIC_LIST}/data`, 'At least one topic is required.');
  const ids = data.map((entry, i) => topicId(entry, `${TOPIC_LIST}/data/${i}`));
  return [...new Set(ids)].sort();
}

function topicId(entry: unknown, pointer: string): string {
  if (!isObject(entry) || entry['type'] !== 'webhook-topic' || typeof entry['id'] !== 'string') {
    throw refuse(pointer, "Not a valid resource of the type 'webhook-topic'.");
  }
  if (TOPICS.includes(entry['id'])) return entry['id'];
  throw refuse(`${pointer}/id`, `Webhook topic with id ${entry['id']} does not exist.`);
}

function checkId(body: unknown, id: string): void {
  const data = isObject(body) ? body['data'] : undefined;
  const given = isObject(data) ? data['id'] : undefined;
  if (given === undefined) throw new ApiError(400, [missing('/data/id', 'id', 'webhook')]);
  if (given === id) return;
  throw refuse('/data/id', `The id must be that of the path, ${id}; got ${JSON.stringify(given)}.`);
}
