import { roomFor } from '../growing.js';
import { Interner } from '../interner.js';
import { inOrder } from '../in-order.js';
import { TimeIndex, type Place } from './time-index.js';

/** Klaviyo's own metrics about consent: their names are the same in every account. */
export const METRICS = [
  'Subscribed to Email Marketing',
  'Unsubscribed from Email Marketing',
  'Subscribed to SMS Marketing',
  'Unsubscribed from SMS Marketing',
  'Subscribed to List',
  'Unsubscribed from List',
  'Marked Email as Spam',
] as const;
export type MetricName = (typeof METRICS)[number];

/** One event. `time` in epoch ms; Klaviyo keeps whole seconds, and so does the store. */
export interface StoredEvent {
  metric: MetricName;
  /** Number of the profile. */
  profile: number;
  time: number;
  listId: string | null;
}

/** Which events, and the start position. Times in epoch seconds, inclusive. */
export interface EventWalk {
  /** @default every metric */
  metrics?: readonly MetricName[];
  /** Number of their profile. */
  profile?: number;
  from: number;
  to: number;
  descending: boolean;
  /** Time and number of the event before the first one. */
  after: Place | null;
}

/** Replaces the profile of a deleted event. */
const NOBODY = 2 ** 32 - 1;

/**
 * Events column by column: 17 bytes each, 12 in the index of their metric, and 4 for each profile.
 * An event is a number: its position. Events of one profile are a chain.
 */
export class EventStore {
  readonly #lists = new Interner();
  readonly #byMetric = METRICS.map(() => new TimeIndex((event) => this.#timeOf(event)));
  readonly #mergedInto = new Map<number, number>();
  readonly #forgotten = new Set<number>();
  #size = 0;
  #gone = 0;
  /** Epoch seconds. */
  #times = new Uint32Array(0);
  #profiles = new Uint32Array(0);
  #metrics = new Uint8Array(0);
  #listIds = new Uint32Array(0);
  /** One more than the next event in the chain of the same profile; 0 at its end. */
  #next = new Uint32Array(0);
  /** One more than the first event in the chain of each profile; 0 for none. */
  #first = new Uint32Array(0);

  /** Events that exist. */
  get size(): number {
    return this.#size - this.#gone;
  }

  /**
   * Number of the new event. Undefined if its profile was deleted before the event was written; an
   * event of a merged profile goes to the destination of the merge.
   */
  add({ metric, profile, time, listId }: StoredEvent): number | undefined {
    const owner = this.#ownerOf(profile);
    if (this.#forgotten.has(owner)) return undefined;
    const event = this.#size;
    this.#times = roomFor(this.#times, event);
    this.#profiles = roomFor(this.#profiles, event);
    this.#metrics = roomFor(this.#metrics, event);
    this.#listIds = roomFor(this.#listIds, event);
    this.#next = roomFor(this.#next, event);
    this.#first = roomFor(this.#first, owner);
    const seconds = Math.floor(time / 1_000);
    const metricNumber = METRICS.indexOf(metric);
    this.#times[event] = seconds;
    this.#profiles[event] = owner;
    this.#metrics[event] = metricNumber;
    this.#listIds[event] = this.#lists.numberOf(listId);
    this.#next[event] = this.#first[owner]!;
    this.#first[owner] = event + 1;
    this.#size += 1;
    this.#byMetric[metricNumber]!.add(seconds, event, false);
    return event;
  }

  has(event: number): boolean {
    return event < this.#size && this.#profiles[event] !== NOBODY;
  }

  get(event: number): StoredEvent {
    return {
      metric: METRICS[this.#metrics[event]!]!,
      profile: this.#profiles[event]!,
      time: this.#times[event]! * 1_000,
      listId: this.#lists.text(this.#listIds[event]!),
    };
  }

  /**
   * Numbers of events in the order of their times; within a second, in the order in which they were
   * written.
   */
  walk(walk: EventWalk): Iterable<number> {
    const { metrics = METRICS, profile, from, to, descending, after } = walk;
    if (profile !== undefined) return this.#walkProfile(profile, new Set(metrics), walk);
    const walks = metrics.map((metric) => {
      const index = this.#byMetric[METRICS.indexOf(metric)]!;
      return descending ? index.descending(from, to, after) : index.ascending(from, to, after);
    });
    return inOrder(walks, (a, b) => this.#compare(a, b, descending));
  }

  /** After a merge: the events of the first profile become the second's. */
  moved(from: number, into: number): void {
    const owner = this.#ownerOf(into);
    if (from === owner) return;
    this.#mergedInto.set(from, owner);
    let last: number | undefined;
    for (const event of this.#chainOf(from)) {
      this.#profiles[event] = owner;
      last = event;
    }
    if (last === undefined) return;
    this.#first = roomFor(this.#first, owner);
    this.#next[last] = this.#first[owner]!;
    this.#first[owner] = this.#first[from]!;
    this.#first[from] = 0;
  }

  /** Deletes the events of a profile, also those that are still to be written. */
  forget(profile: number): void {
    this.#forgotten.add(profile);
    for (const event of this.#chainOf(profile)) {
      this.#byMetric[this.#metrics[event]!]!.removed();
      this.#profiles[event] = NOBODY;
      this.#gone += 1;
    }
    if (profile < this.#first.length) this.#first[profile] = 0;
  }

  #timeOf(event: number): number | undefined {
    return this.has(event) ? this.#times[event] : undefined;
  }

  #ownerOf(profile: number): number {
    let owner = profile;
    for (let next = this.#mergedInto.get(owner); next !== undefined;) {
      owner = next;
      next = this.#mergedInto.get(owner);
    }
    return owner;
  }

  *#chainOf(profile: number): Generator<number> {
    for (let next = this.#first[profile] ?? 0; next !== 0;) {
      const event = next - 1;
      next = this.#next[event]!;
      yield event;
    }
  }

  #walkProfile(profile: number, metrics: ReadonlySet<MetricName>, walk: EventWalk): number[] {
    const { from, to, descending, after } = walk;
    const place = after === null ? null : this.#compareTo(after, descending);
    return [...this.#chainOf(profile)]
      .filter((event) => {
        const time = this.#times[event]!;
        if (time < from || time > to || !metrics.has(METRICS[this.#metrics[event]!]!)) return false;
        return place === null || place(event) > 0;
      })
      .sort((a, b) => this.#compare(a, b, descending));
  }

  #compare(a: number, b: number, descending: boolean): number {
    return (descending ? -1 : 1) * (this.#times[a]! - this.#times[b]! || a - b);
  }

  #compareTo({ time, member }: Place, descending: boolean): (event: number) => number {
    const direction = descending ? -1 : 1;
    return (event) => direction * (this.#times[event]! - time || event - member);
  }
}
