import { roomFor } from './growing.js';

/** A place in the order of (time, member). */
export interface Place {
  time: number;
  member: number;
}

/** How far back a late entry is moved into place at once; further back, all is sorted on the next read. */
const SHORT_MOVE = 4_096;

/**
 * Members in the order of a time that mostly grows: a log with one entry for each time that a
 * member ever had. An entry is stale when the member's time has moved on; stale entries are
 * skipped by reads and dropped once they are the majority.
 */
export class TimeIndex {
  #times = new Float64Array(0);
  #members = new Uint32Array(0);
  #size = 0;
  #stale = 0;
  #sorted = true;

  /** @param timeOf the member's present time; undefined for a member that is gone */
  constructor(private readonly timeOf: (member: number) => number | undefined) {}

  /** @param moved whether the member had another time before */
  add(time: number, member: number, moved: boolean): void {
    if (moved) this.#stale += 1;
    if (this.#stale > 1_024 && this.#stale > this.#size / 2) this.#compact();
    this.#times = roomFor(this.#times, this.#size);
    this.#members = roomFor(this.#members, this.#size);
    let at = this.#size;
    const lowest = Math.max(0, at - SHORT_MOVE);
    while (this.#sorted && at > lowest && this.#isAfter(at - 1, time, member)) {
      this.#times[at] = this.#times[at - 1]!;
      this.#members[at] = this.#members[at - 1]!;
      at -= 1;
    }
    this.#times[at] = time;
    this.#members[at] = member;
    this.#size += 1;
    if (at > 0 && at === lowest && this.#isAfter(at - 1, time, member)) this.#sorted = false;
  }

  /** To be told when a member is gone. */
  removed(): void {
    this.#stale += 1;
  }

  /** Upper bound of the members with `from <= time <= to`; stale entries count. */
  count(from: number, to: number): number {
    this.#sort();
    return Math.max(0, this.#firstAt(to, Infinity) - this.#firstAt(from, -1));
  }

  /** Members with `from <= time <= to` in order, beginning after `after`. */
  *ascending(from: number, to: number, after: Place | null): Generator<number> {
    this.#sort();
    let at = this.#firstAt(from, -1);
    if (after !== null) at = Math.max(at, this.#firstAt(after.time, after.member + 0.5));
    for (; at < this.#size && this.#times[at]! <= to; at++) {
      if (this.#isLive(at)) yield this.#members[at]!;
    }
  }

  /** The same from the latest to the earliest, beginning before `after`. */
  *descending(from: number, to: number, after: Place | null): Generator<number> {
    this.#sort();
    let at = this.#firstAt(to, Infinity) - 1;
    if (after !== null) at = Math.min(at, this.#firstAt(after.time, after.member - 0.5) - 1);
    for (; at >= 0 && this.#times[at]! >= from; at--) {
      if (this.#isLive(at)) yield this.#members[at]!;
    }
  }

  #isLive(at: number): boolean {
    const member = this.#members[at]!;
    if (this.timeOf(member) !== this.#times[at]) return false;
    // A member that left and came back within one ms has two equal entries.
    return at === 0 || this.#members[at - 1] !== member || this.#times[at - 1] !== this.#times[at];
  }

  #isAfter(at: number, time: number, member: number): boolean {
    return this.#times[at]! > time || (this.#times[at] === time && this.#members[at]! > member);
  }

  /** First place that is not before (time, member). */
  #firstAt(time: number, member: number): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      const stored = this.#times[middle]!;
      if (stored < time || (stored === time && this.#members[middle]! < member)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #sort(): void {
    if (this.#sorted) return;
    const { times, members } = { times: this.#times, members: this.#members };
    const order = Uint32Array.from({ length: this.#size }, (_, i) => i).sort(
      (a, b) => times[a]! - times[b]! || members[a]! - members[b]!,
    );
    this.#times = Float64Array.from(order, (at) => times[at]!);
    this.#members = Uint32Array.from(order, (at) => members[at]!);
    this.#sorted = true;
  }

  #compact(): void {
    let kept = 0;
    for (let at = 0; at < this.#size; at++) {
      if (!this.#isLive(at)) continue;
      this.#times[kept] = this.#times[at]!;
      this.#members[kept] = this.#members[at]!;
      kept += 1;
    }
    this.#size = kept;
    this.#stale = 0;
  }
}
