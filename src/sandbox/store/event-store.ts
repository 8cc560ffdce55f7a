import { roomFor } from './growing.js';
import { Interner } from './interner.js';
import { TimeIndex } from './time-index.js';

/** Klaviyo's own metrics about consent: their names are the same in every account. */
export const METRICS = [
  'Subscribed to Email Marketing',
  'Unsubscribed from Email Marketing',
  'Subscribed to SMS Marketing',
  'Unsubscribed from SMS Marketing',
  'Subscribed to List',
  'Unsubscribed from List',
] as const;
export type MetricName = (typeof METRICS)[number];

/** One event. Times in epoch ms. */
export interface StoredEvent {
  metric: MetricName;
  /** Number of the profile. */
  profile: number;
  time: number;
  listId: string | null;
}

/** Events column by column, 21 bytes each beside the index. An event is a number: its place. */
export class EventStore {
  static readonly #lists = new Interner();
  readonly byTime = new TimeIndex((event) => this.#times[event]);
  #size = 0;
  #times = new Float64Array(0);
  #profiles = new Uint32Array(0);
  #metrics = new Uint8Array(0);
  #listIds = new Uint32Array(0);

  get size(): number {
    return this.#size;
  }

  /** Number of the new event. */
  add({ metric, profile, time, listId }: StoredEvent): number {
    const event = this.#size;
    this.#times = roomFor(this.#times, event);
    this.#profiles = roomFor(this.#profiles, event);
    this.#metrics = roomFor(this.#metrics, event);
    this.#listIds = roomFor(this.#listIds, event);
    this.#times[event] = time;
    this.#profiles[event] = profile;
    this.#metrics[event] = METRICS.indexOf(metric);
    this.#listIds[event] = EventStore.#lists.numberOf(listId);
    this.#size += 1;
    this.byTime.add(time, event, false);
    return event;
  }

  get(event: number): StoredEvent {
    return {
      metric: METRICS[this.#metrics[event]!]!,
      profile: this.#profiles[event]!,
      time: this.#times[event]!,
      listId: EventStore.#lists.text(this.#listIds[event]!),
    };
  }
}
