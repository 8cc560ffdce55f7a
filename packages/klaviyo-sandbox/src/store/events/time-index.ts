import { roomFor } from '../growing.js';

/** A position in the order of (time, member). */
export interface Place {
  time: number;
  member: number;
}

/** How far back a late entry is inserted at once; an earlier one waits for the next read. */
const SHORT_MOVE = 4_096;

/**
 * Members in the order of a time that mostly increases: a log with one entry for each time that a
 * member ever had. An entry is stale when the member's time has changed; stale entries are skipped
 * by reads and dropped once they are the majority.
 */
export class TimeIndex {
  #times = new Float64Array(0);
  #members = new Uint32Array(0);
  #size = 0;
  #stale = 0;
  /** The number of entries in order, from the first; those after them are in order of arrival. */
  #ordered = 0;

  /** @param timeOf the member's current time; undefined for a removed member */
  constructor(private readonly timeOf: (member: number) => number | undefined) {}

  /** @param moved whether the member had another time before */
  add(time: number, member: number, moved: boolean): void {
    if (moved) this.#stale += 1;
    if (this.#stale > 1_024 && this.#stale > this.#size / 2) this.#compact();
    const size = this.#size;
    this.#times = roomFor(this.#times, size);
    this.#members = roomFor(this.#members, size);
    const lowest = Math.max(0, size - SHORT_MOVE);
    const near =
      this.#ordered === size && (lowest === 0 || !this.#isAfter(lowest - 1, time, member));
    const at = near ? this.#firstAt(time, member, lowest) : size;
    this.#move(at, size, 1);
    this.#times[at] = time;
    this.#members[at] = member;
    this.#size += 1;
    if (near) this.#ordered += 1;
  }

  /** Call this when a member is removed. */
  removed(): void {
    this.#stale += 1;
  }

  /** Upper bound of the members with `from <= time <= to`; stale entries count. */
  count(from: number, to: number): number {
    this.#settle();
    return Math.max(0, this.#firstAt(to, Infinity) - this.#firstAt(from, -1));
  }

  /** Members with `from <= time <= to` in order, beginning after `after`. */
  *ascending(from: number, to: number, after: Place | null): Generator<number> {
    this.#settle();
    let at = this.#firstAt(from, -1);
    if (after !== null) at = Math.max(at, this.#firstAt(after.time, after.member + 0.5));
    for (; at < this.#size && this.#times[at]! <= to; at++) {
      if (this.#isLive(at)) yield this.#members[at]!;
    }
  }

  /** The same from the latest to the earliest, beginning before `after`. */
  *descending(from: number, to: number, after: Place | null): Generator<number> {
    this.#settle();
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

  /** First position from `low` on, before `high`, that is not before (time, member). */
  #firstAt(time: number, member: number, low = 0, high = this.#size): number {
    while (low < high) {
      const middle = (low + high) >> 1;
      const stored = this.#times[middle]!;
      if (stored < time || (stored === time && this.#members[middle]! < member)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Makes room: moves the entries from `at` to before `end` by `by` positions. */
  #move(at: number, end: number, by: number): void {
    if (at === end) return;
    this.#times.copyWithin(at + by, at, end);
    this.#members.copyWithin(at + by, at, end);
  }

  /**
   * Merges the late entries. Only they are sorted; the ordered ones before them move in whole
   * blocks, so a thousand entries spread over two million take milliseconds.
   */
  #settle(): void {
    const late = this.#size - this.#ordered;
    if (late === 0) return;
    const allTimes = this.#times;
    const allMembers = this.#members;
    const order = Uint32Array.from({ length: late }, (_, i) => this.#ordered + i).sort(
      (a, b) => allTimes[a]! - allTimes[b]! || allMembers[a]! - allMembers[b]!,
    );
    const times = Float64Array.from(order, (at) => allTimes[at]!);
    const members = Uint32Array.from(order, (at) => allMembers[at]!);
    let end = this.#ordered;
    for (let i = late - 1; i >= 0; i--) {
      const place = this.#firstAt(times[i]!, members[i]!, 0, end);
      this.#move(place, end, i + 1);
      this.#times[place + i] = times[i]!;
      this.#members[place + i] = members[i]!;
      end = place;
    }
    this.#ordered = this.#size;
  }

  #compact(): void {
    this.#settle();
    let kept = 0;
    for (let at = 0; at < this.#size; at++) {
      if (!this.#isLive(at)) continue;
      this.#times[kept] = this.#times[at]!;
      this.#members[kept] = this.#members[at]!;
      kept += 1;
    }
    this.#size = kept;
    this.#ordered = kept;
    this.#stale = 0;
  }
}
