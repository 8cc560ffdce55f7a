import { METRICS, type MetricName } from '../../store/events/event-store.js';

/** The settings that the owner gives a webhook. */
export interface WebhookSettings {
  name: string;
  description: string | null;
  endpointUrl: URL;
  secretKey: string;
  /** Ids of topics. */
  topics: readonly string[];
}

export interface Webhook extends WebhookSettings {
  readonly id: string;
  enabled: boolean;
  /** Epoch ms. */
  readonly created: number;
  updated: number;
}

/** `event:klaviyo.` and the name of the metric, as recorded. */
export const topicOf = (metric: MetricName): string =>
  `event:klaviyo.${metric.toLowerCase().replaceAll(' ', '_')}`;

/** Topics that every account has, but for which the sandbox has no events. */
const SILENT_TOPICS = [
  'event:klaviyo.manually_suppressed_from_email_marketing',
  'event:klaviyo.manually_unsuppressed_from_email_marketing',
  'event:klaviyo.sent_sms',
  'event:klaviyo.updated_email_preferences',
];

/** All topics of a webhook, in order. */
export const TOPICS: readonly string[] = [...METRICS.map(topicOf), ...SILENT_TOPICS].sort();
