import { WEBHOOK, WEBHOOK_TOPIC } from '../query/field-paths.js';
import { TIERS, type Call, type Operation, type Reply } from '../operation.js';
import type { QueryRules } from '../query/query.js';
import { forbidden } from '../http/errors.js';
import { getWebhookTopic, getWebhookTopics } from './topics.js';
import {
  createWebhook,
  deleteWebhook,
  getWebhook,
  getWebhooks,
  updateWebhook,
} from './webhooks.js';

const WRITTEN: QueryRules = { fields: { webhook: WEBHOOK } };
const READ: QueryRules = {
  fields: { webhook: WEBHOOK, 'webhook-topic': WEBHOOK_TOPIC },
  include: ['webhook-topics'],
};
const TOPIC: QueryRules = { fields: { 'webhook-topic': WEBHOOK_TOPIC } };
const READS = { scopes: ['webhooks:read'], limit: TIERS.XS };
const WRITES = { scopes: ['webhooks:write'], limit: TIERS.XS };

const operations: readonly Operation[] = [
  {
    name: 'get_webhooks',
    method: 'GET',
    path: '/api/webhooks',
    ...READS,
    query: READ,
    handle: getWebhooks,
  },
  {
    name: 'create_webhook',
    method: 'POST',
    path: '/api/webhooks',
    ...WRITES,
    query: WRITTEN,
    handle: createWebhook,
  },
  {
    name: 'get_webhook',
    method: 'GET',
    path: '/api/webhooks/{id}',
    ...READS,
    query: READ,
    handle: getWebhook,
  },
  {
    name: 'update_webhook',
    method: 'PATCH',
    path: '/api/webhooks/{id}',
    ...WRITES,
    query: WRITTEN,
    handle: updateWebhook,
  },
  {
    name: 'delete_webhook',
    method: 'DELETE',
    path: '/api/webhooks/{id}',
    ...WRITES,
    body: 'none',
    handle: deleteWebhook,
  },
  {
    name: 'get_webhook_topics',
    method: 'GET',
    path: '/api/webhook-topics',
    ...READS,
    query: TOPIC,
    handle: getWebhookTopics,
  },
  {
    name: 'get_webhook_topic',
    method: 'GET',
    path: '/api/webhook-topics/{id}',
    ...READS,
    query: TOPIC,
    handle: getWebhookTopic,
  },
];

/** Recorded for a private key, on all seven. */
function refused(): never {
  throw forbidden('You must have Advanced KDP enabled to use this endpoint.');
}

export const webhookOperations: readonly Operation[] = operations.map((operation) => ({
  ...operation,
  handle: (call: Call): Reply =>
    call.account.settings.switches.webhooks === 'refused' ? refused() : operation.handle(call),
}));
