import { Agent, request } from 'undici';
import { delayWithin } from '../../settings/delays.js';
import type { Core } from '../core.js';
import { webhookRequest } from './webhook-request.js';
import type { Webhook } from './webhook.js';

/** Delivery counters of one webhook. */
export interface DeliveryCounts {
  webhook_id: string;
  /** Requests that wait for the endpoint's answer. */
  in_flight: number;
  /** Requests that the endpoint accepted, and the events in them. */
  delivered: number;
  events: number;
  /** Requests that failed; each is retried. */
  failed: number;
  /** Why the last of them failed: its status, or the connection error. */
  last_failure: string | null;
  /** Events that are not delivered: deleted, or the webhook was disabled or removed. */
  dropped: number;
  /** Events that are still to be delivered. */
  waiting: number;
}

interface Batch {
  readonly webhook: Webhook;
  readonly events: number[];
  attempts: number;
  /** Dropped while it waited. */
  dropped: boolean;
}

interface Desk {
  readonly counts: DeliveryCounts;
  /** Takes further events until it is due or full. */
  open: Batch | undefined;
  readonly waiting: Set<Batch>;
  /** Moment on the clock's `now` of the first failure since the last success. */
  failingSince: number | undefined;
  batches: number;
}

const LARGEST_BATCH = 1_000;
const MOST_IN_FLIGHT = 3;
/** The endpoint must answer 200, 201 or 202 within this many ms. */
const PATIENCE_MS = 5_000;
const TAKEN: ReadonlySet<number> = new Set([200, 201, 202]);
const HOUR = 3_600_000;
/** Failures are retried after delays that double, an hour at most, for two days at most. */
const LONGEST_BACKOFF_MS = HOUR;
const LONGEST_FAILURE_MS = 48 * HOUR;

/** Delivers events to webhooks: in batches, late, a few requests at a time, with retries. */
export class Deliveries {
  readonly #desks = new Map<string, Desk>();
  readonly #due: Batch[] = [];
  readonly #agent = new Agent({
    connections: MOST_IN_FLIGHT,
    headersTimeout: PATIENCE_MS,
    bodyTimeout: PATIENCE_MS,
    connect: { timeout: PATIENCE_MS },
  });
  #inFlight = 0;
  #closed = false;

  constructor(private readonly core: Core) {}

  /** Puts an event into the next batch for the webhook. */
  add(webhook: Webhook, event: number): void {
    const desk = this.#deskOf(webhook);
    if (desk.open === undefined || desk.open.events.length === LARGEST_BATCH) {
      const batch: Batch = { webhook, events: [], attempts: 0, dropped: false };
      desk.open = batch;
      desk.waiting.add(batch);
      this.#later(batch, this.#delayOf(desk, webhook), () => {
        if (desk.open === batch) desk.open = undefined;
      });
    }
    desk.open.events.push(event);
    desk.counts.waiting += 1;
  }

  /** Drops everything that waits for the webhook. */
  drop(webhook: Webhook): void {
    const desk = this.#deskOf(webhook);
    for (const batch of desk.waiting) this.#finish(desk, batch, 'dropped', batch.events.length);
    desk.open = undefined;
  }

  /** Restarts the failure period. */
  forgive(webhook: Webhook): void {
    this.#deskOf(webhook).failingSince = undefined;
  }

  counts(): DeliveryCounts[] {
    return [...this.#desks.values()].map(({ counts }) => ({ ...counts }));
  }

  close(): void {
    this.#closed = true;
    this.#due.length = 0;
    void this.#agent.destroy();
  }

  #deskOf({ id }: Webhook): Desk {
    let desk = this.#desks.get(id);
    if (desk === undefined) {
      const none = { in_flight: 0, delivered: 0, events: 0, failed: 0, last_failure: null };
      desk = {
        counts: { webhook_id: id, ...none, dropped: 0, waiting: 0 },
        open: undefined,
        waiting: new Set(),
        failingSince: undefined,
        batches: 0,
      };
      this.#desks.set(id, desk);
    }
    return desk;
  }

  #delayOf(desk: Desk, webhook: Webhook): number {
    const { delays, seed } = this.core.settings;
    desk.batches += 1;
    return delayWithin(delays.webhook, seed, 'webhook', webhook.id, String(desk.batches));
  }

  /** @param wait ms of Klaviyo's time */
  #later(batch: Batch, wait: number, before: () => void = () => {}): void {
    const { clock, scheduler } = this.core;
    scheduler.at(clock.in(wait), () => {
      before();
      this.#due.push(batch);
      this.#sendDue();
    });
  }

  #sendDue(): void {
    while (!this.#closed && this.#inFlight < MOST_IN_FLIGHT) {
      const batch = this.#due.shift();
      if (batch === undefined) return;
      if (batch.dropped) continue;
      this.#inFlight += 1;
      void this.#deliver(batch).finally(() => {
        this.#inFlight -= 1;
        this.#sendDue();
      });
    }
  }

  async #deliver(batch: Batch): Promise<void> {
    const desk = this.#deskOf(batch.webhook);
    const events = batch.events.filter((event) => this.core.journal.events.has(event));
    const gone = batch.events.length - events.length;
    if (events.length === 0) return this.#finish(desk, batch, 'dropped', gone);
    desk.counts.in_flight += 1;
    const failure = await this.#send(batch.webhook, events);
    desk.counts.in_flight -= 1;
    if (this.#closed || batch.dropped) return;
    if (failure !== null) return this.#failed(desk, batch, failure);
    desk.failingSince = undefined;
    desk.counts.delivered += 1;
    desk.counts.dropped += gone;
    this.#finish(desk, batch, 'events', events.length);
  }

  /** Null if the endpoint accepted them, else why not. */
  async #send(webhook: Webhook, events: readonly number[]): Promise<string | null> {
    const signed = webhookRequest(this.core, webhook, events);
    try {
      const { statusCode, body } = await request(webhook.endpointUrl, {
        method: 'POST',
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(PATIENCE_MS),
        ...signed,
      });
      await body.dump();
      return TAKEN.has(statusCode) ? null : String(statusCode);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #failed(desk: Desk, batch: Batch, why: string): void {
    const { clock, settings } = this.core;
    desk.counts.failed += 1;
    desk.counts.last_failure = why;
    desk.failingSince ??= clock.now();
    if ((clock.now() - desk.failingSince) * clock.speed >= LONGEST_FAILURE_MS) {
      batch.webhook.enabled = false;
      batch.webhook.updated = clock.wall();
      return this.drop(batch.webhook);
    }
    const [, longest] = settings.delays.webhook;
    this.#later(batch, Math.min(LONGEST_BACKOFF_MS, longest * 2 ** batch.attempts));
    batch.attempts += 1;
  }

  #finish(desk: Desk, batch: Batch, as: 'events' | 'dropped', events: number): void {
    batch.dropped = as === 'dropped';
    desk.waiting.delete(batch);
    desk.counts.waiting -= batch.events.length;
    desk.counts[as] += events;
  }
}
