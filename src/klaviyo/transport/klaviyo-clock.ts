import { parseHttpDate } from './http-date.js';

/** A time by Klaviyo's clock, as an interval: not before `earliest`, not after `latest`. */
export interface KlaviyoTime {
  readonly earliest: Date;
  readonly latest: Date;
}

/** When an answered call was under way, by Klaviyo's clock. */
export interface CallTimes {
  /** Its first byte was written: what it reads or changes is not older than `earliest`. */
  readonly sentAt: KlaviyoTime;
  /** Its answer was complete: what it read or changed is not newer than `latest`. */
  readonly answeredAt: KlaviyoTime;
}

/** How far Klaviyo's clock is ahead of this process's monotonic one, milliseconds: between the two. */
interface Offset {
  readonly least: number;
  readonly most: number;
  /** When this was measured, on the monotonic clock. */
  readonly at: number;
}

/** `Date` has whole seconds, rounded down. */
const RESOLUTION_MS = 1_000;

/**
 * Klaviyo's servers do not agree to the millisecond, and servers commonly cache their Date for a
 * tick.
 */
const UNSHARP_MS = 500;

/** As fast as NTP slews a clock: 1.8 s per hour. */
const DRIFT = 500e-6;

/**
 * Klaviyo's clock, from the `Date` of its answers: consent is dated by it, and this machine's clock
 * may be wrong or be reset. An answer was made between sending and receiving, so each one bounds
 * the offset to the monotonic clock (`performance.now()`), which setting the time does not move.
 * Together the answers give a narrower bound than any alone. Bounds widen with time, since clocks
 * drift.
 */
export class KlaviyoClock {
  #offset: Offset | null = null;

  /**
   * Takes an answer's `Date` into account; a missing or unreadable one changes nothing.
   *
   * @param sentAt `performance.now()` when the request began to be written
   * @param answeredAt the same when the head of the answer had arrived
   */
  observe(date: string | undefined, sentAt: number, answeredAt: number): void {
    const time = parseHttpDate(date);
    if (time === null) return;
    const seen: Offset = {
      least: time - UNSHARP_MS - answeredAt,
      most: time + RESOLUTION_MS + UNSHARP_MS - sentAt,
      at: answeredAt,
    };
    this.#offset = this.#offset === null ? seen : both(drifted(this.#offset, answeredAt), seen);
  }

  /** Klaviyo's time at a value of `performance.now()`; null before the first answer. */
  at(moment: number): KlaviyoTime | null {
    if (this.#offset === null) return null;
    const { least, most } = drifted(this.#offset, moment);
    return {
      earliest: new Date(Math.floor(moment + least)),
      latest: new Date(Math.ceil(moment + most)),
    };
  }
}

function drifted({ least, most, at }: Offset, moment: number): Offset {
  const drift = Math.abs(moment - at) * DRIFT;
  return { least: least - drift, most: most + drift, at: moment };
}

/** The intersection of both; the newer if they contradict: a clock was set, or this machine slept. */
function both(older: Offset, newer: Offset): Offset {
  const least = Math.max(older.least, newer.least);
  const most = Math.min(older.most, newer.most);
  return least <= most ? { least, most, at: newer.at } : newer;
}
