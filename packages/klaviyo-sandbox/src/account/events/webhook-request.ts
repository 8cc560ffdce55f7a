import { createHmac } from 'node:crypto';
import { isoDate } from '../../time/dates.js';
import { eventView } from './event-view.js';
import type { Core } from '../core.js';
import { topicOf, type Webhook } from './webhook.js';

/** A delivery as sent over HTTP. */
export interface WebhookRequest {
  headers: Record<string, string>;
  body: string;
}

/** Links in a payload are Klaviyo's own: they do not point to this account's API. */
const ORIGIN = 'https://a.klaviyo.com';
const REVISION = '2026-07-15';

/**
 * One delivery of these events, signed: hex HMAC-SHA256 under the secret key of the body's bytes
 * followed by the text of `Klaviyo-Timestamp`. The clock of that header is hours wrong (recorded:
 * local time labelled GMT); the `timestamp` in the body is correct.
 */
export function webhookRequest(
  core: Core,
  webhook: Webhook,
  events: readonly number[],
): WebhookRequest {
  const { account } = core.settings;
  const now = core.clock.wall();
  const timestamp = new Date(now + account.webhookClockSkewMs).toUTCString();
  const body = JSON.stringify({
    data: events.map((event) => {
      const data = eventView(core, event, ORIGIN);
      const topic = topicOf(core.journal.events.get(event).metric);
      return { external_id: data.id, topic, payload: { data, links: data.links } };
    }),
    meta: {
      klaviyo_account_id: account.id,
      klaviyo_webhook_id: webhook.id,
      timestamp: isoDate(now),
      version: REVISION,
    },
  });
  const signature = createHmac('sha256', webhook.secretKey).update(body).update(timestamp);
  return {
    headers: {
      'content-type': 'application/json',
      'Klaviyo-Signature': signature.digest('hex'),
      'Klaviyo-Timestamp': timestamp,
      'Klaviyo-Webhook-Id': webhook.id,
    },
    body,
  };
}
