import { ulid } from '../../chance/ulid.js';
import type { Core } from '../core.js';
import { Deliveries, type DeliveryCounts } from './deliveries.js';
import { topicOf, type Webhook, type WebhookSettings } from './webhook.js';

/** The account's webhooks, and what was sent to them. */
export class Webhooks {
  readonly #webhooks = new Map<string, Webhook>();
  readonly #deliveries: Deliveries;
  #made = 0;

  constructor(private readonly core: Core) {
    this.#deliveries = new Deliveries(core);
    core.journal.onWritten((event) => this.#announce(event));
  }

  all(): Webhook[] {
    return [...this.#webhooks.values()];
  }

  get(id: string): Webhook | undefined {
    return this.#webhooks.get(id);
  }

  create(settings: WebhookSettings): Webhook {
    const now = this.core.clock.wall();
    const id = ulid(now, this.core.settings.seed, 'webhook', String(this.#made));
    const webhook = { ...settings, id, enabled: true, created: now, updated: now };
    this.#made += 1;
    this.#webhooks.set(id, webhook);
    return webhook;
  }

  /** Enabling a webhook again gives its endpoint another chance. */
  update(webhook: Webhook, changes: Partial<WebhookSettings> & { enabled?: boolean }): void {
    Object.assign(webhook, changes, { updated: this.core.clock.wall() });
    if (changes.enabled === true) this.#deliveries.forgive(webhook);
    if (!webhook.enabled) this.#deliveries.drop(webhook);
  }

  remove(webhook: Webhook): void {
    webhook.enabled = false;
    this.#deliveries.drop(webhook);
    this.#webhooks.delete(webhook.id);
  }

  /** Counters of every webhook that ever existed. */
  deliveries(): DeliveryCounts[] {
    return this.#deliveries.counts();
  }

  /** Stops pending deliveries. */
  close(): void {
    this.#deliveries.close();
  }

  #announce(event: number): void {
    if (this.#webhooks.size === 0) return;
    const topic = topicOf(this.core.journal.events.get(event).metric);
    for (const webhook of this.#webhooks.values()) {
      if (webhook.enabled && webhook.topics.includes(topic)) this.#deliveries.add(webhook, event);
    }
  }
}
