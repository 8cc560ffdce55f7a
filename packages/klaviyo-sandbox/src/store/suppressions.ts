import { TimeIndex, type Place } from './events/time-index.js';

interface Entry {
  readonly reason: string;
  /** Epoch ms. */
  readonly timestamp: number;
}

/** A span of time in epoch ms, inclusive. */
export interface Span {
  from: number;
  to: number;
}

/** Which entries a walk includes; all groups, or all reasons, if absent. */
export interface Wanted {
  group?: string;
  reason?: string;
}

interface Part {
  group: string;
  reason: string;
  byTime: TimeIndex;
}

/**
 * Suppressions of the few profiles that have any, found by profile and by date. A profile has at
 * most one per reason and group.
 */
export class SuppressionStore<E extends Entry> {
  readonly #entries = new Map<number, readonly E[]>();
  readonly #parts = new Map<string, Part>();

  /** @param groupOf what separates entries with the same reason, e.g. their list */
  constructor(private readonly groupOf: (entry: E) => string) {}

  /** Profiles that have any. */
  get size(): number {
    return this.#entries.size;
  }

  get(index: number): readonly E[] | undefined {
    return this.#entries.get(index);
  }

  has(index: number): boolean {
    return this.#entries.has(index);
  }

  keys(): IterableIterator<number> {
    return this.#entries.keys();
  }

  /** Returns whether it is new: an existing one with that reason and group stays. */
  add(index: number, entry: E): boolean {
    const present = this.#entries.get(index) ?? [];
    const key = this.#keyOf(entry);
    if (present.some((other) => this.#keyOf(other) === key)) return false;
    this.#entries.set(index, [...present, entry]);
    this.#part(entry).byTime.add(entry.timestamp, index, false);
    return true;
  }

  /** Removes the entries that match `isLifted`. Returns whether there were any. */
  lift(index: number, isLifted: (entry: E) => boolean): boolean {
    const present = this.#entries.get(index) ?? [];
    const left = present.filter((entry) => !isLifted(entry));
    if (left.length === present.length) return false;
    if (left.length > 0) this.#entries.set(index, left);
    else this.#entries.delete(index);
    for (const entry of present) if (!left.includes(entry)) this.#part(entry).byTime.removed();
    return true;
  }

  /**
   * Profiles with a wanted entry in the span, each once: at the date of its first such entry or,
   * descending, of its last. Begins after `after`.
   */
  *walk(
    wanted: Wanted,
    span: Span,
    descending: boolean,
    after: Place | null,
  ): Generator<Place, void> {
    const streams = [...this.#parts.values()]
      .filter((part) => isWanted(part, wanted))
      .map((part) => this.#stream(part, span, descending, after));
    let last: number | undefined;
    for (;;) {
      let next: Stream | undefined;
      for (const stream of streams) {
        if (stream.head === undefined) continue;
        if (next === undefined || isBefore(stream.head, next.head!, descending)) next = stream;
      }
      if (next?.head === undefined) return;
      const place = next.head;
      next.advance();
      const isFirst = place.time === this.dateOf(place.member, wanted, span, descending);
      if (!isFirst || place.member === last) continue;
      last = place.member;
      yield place;
    }
  }

  /** The first (descending: last) date of a wanted entry in the span; undefined without one. */
  dateOf(index: number, wanted: Wanted, span: Span, descending: boolean): number | undefined {
    let date: number | undefined;
    for (const entry of this.#entries.get(index) ?? []) {
      const { reason, timestamp } = entry;
      if (timestamp < span.from || timestamp > span.to) continue;
      if (!isWanted({ group: this.groupOf(entry), reason }, wanted)) continue;
      const better = date === undefined || (descending ? timestamp > date : timestamp < date);
      if (better) date = timestamp;
    }
    return date;
  }

  #stream({ group, reason, byTime }: Part, span: Span, descending: boolean, after: Place | null) {
    const members = descending
      ? byTime.descending(span.from, span.to, after)
      : byTime.ascending(span.from, span.to, after);
    const read = (): Place | undefined => {
      const next = members.next();
      if (next.done === true) return undefined;
      return { time: this.#timeOf(next.value, group, reason)!, member: next.value };
    };
    const stream: Stream = {
      head: read(),
      advance() {
        stream.head = read();
      },
    };
    return stream;
  }

  #part(entry: E): Part {
    const key = this.#keyOf(entry);
    let part = this.#parts.get(key);
    if (part === undefined) {
      const { group, reason } = { group: this.groupOf(entry), reason: entry.reason };
      const byTime = new TimeIndex((index) => this.#timeOf(index, group, reason));
      part = { group, reason, byTime };
      this.#parts.set(key, part);
    }
    return part;
  }

  #timeOf(index: number, group: string, reason: string): number | undefined {
    return this.#entries
      .get(index)
      ?.find((entry) => entry.reason === reason && this.groupOf(entry) === group)?.timestamp;
  }

  #keyOf(entry: E): string {
    return `${entry.reason} ${this.groupOf(entry)}`;
  }
}

/** Entries of one part in order, with a look at the next one. */
interface Stream {
  head: Place | undefined;
  advance(): void;
}

const isWanted = (part: { group: string; reason: string }, { group, reason }: Wanted): boolean =>
  (group === undefined || part.group === group) && (reason === undefined || part.reason === reason);

function isBefore(a: Place, b: Place, descending: boolean): boolean {
  const order = a.time - b.time || a.member - b.member;
  return descending ? order > 0 : order < 0;
}
