import { DateTime } from 'luxon';
import { offsetMinutes, type ReadDate, type WrittenDate } from './date-format.js';

export type DateReading =
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'future' }
  /** The date has no zone, and none is given for the source. */
  | { readonly kind: 'zone_needed' }
  | { readonly kind: 'valid'; readonly at: string; readonly clamped: boolean };

/** Klaviyo stores no consent date before this (API guide on collecting consent). */
const OLDEST_MS = Date.UTC(1990, 0, 1);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** The hour of a date without a time. */
const NOON = 12;
const DATE =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?: ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?)?$/i;

/**
 * Reads consent dates: in ISO 8601, with a space or a `T`, with or without seconds and zone, or in
 * the source's format. A date alone means 12:00, or 00:00 if it is today and not noon yet. A date
 * without a zone is in the source's zone; a time that a clock change skipped is moved forward by
 * the length of the gap, as luxon does.
 */
export class ConsentDates {
  /** UTC offset in minutes of days that keep one offset, by their UTC day number. */
  readonly #offsets = new Map<number, number>();

  constructor(
    private readonly timezone: string | null,
    private readonly now: Date,
    private readonly readDate: ReadDate = readIso,
  ) {}

  read(raw: string): DateReading {
    const text = raw.trim();
    if (text === '') return { kind: 'missing' };
    const written = this.readDate(text);
    if (written === null || !exists(written)) return { kind: 'invalid' };
    const { offset } = written;
    if (offset === null && this.timezone === null) return { kind: 'zone_needed' };
    const now = this.now.getTime();
    const noonOrTime = this.#instant(written);
    const ms =
      noonOrTime > now && written.hour === null
        ? this.#instant({ ...written, hour: 0 })
        : noonOrTime;
    if (ms > now) return { kind: 'future' };
    const clamped = ms < OLDEST_MS;
    return { kind: 'valid', at: rfc3339(clamped ? OLDEST_MS : ms), clamped };
  }

  #instant(written: WrittenDate): number {
    const { offset } = written;
    return offset === null
      ? this.#localTime(written, this.timezone ?? 'utc')
      : utc(written) - offset * MINUTE_MS;
  }

  /**
   * luxon takes 20 to 40 microseconds per date in a named zone, so it is called once per calendar
   * day.
   */
  #localTime(clock: WrittenDate, zone: string): number {
    const asUtc = utc(clock);
    // No zone is two days away from UTC, so these are clamped or refused in any zone.
    const far = asUtc < OLDEST_MS - 2 * DAY_MS || asUtc > this.now.getTime() + 2 * DAY_MS;
    if (far) return asUtc;
    const day = Math.floor(asUtc / DAY_MS);
    let offset = this.#offsets.get(day);
    if (offset === undefined) {
      const before = DateTime.fromObject(noon(day - 1), { zone }).offset;
      const after = DateTime.fromObject(noon(day + 1), { zone }).offset;
      if (before !== after) return DateTime.fromObject(wallClock(clock), { zone }).toMillis();
      offset = after;
      this.#offsets.set(day, offset);
    }
    return asUtc - offset * MINUTE_MS;
  }
}

export const readIso: ReadDate = (text) => {
  const match = DATE.exec(text);
  if (match === null) return null;
  const zone = match[7];
  const offset = zone === undefined ? null : offsetMinutes(zone);
  if (zone !== undefined && offset === null) return null;
  return {
    year: Number(match[1]),
    month: Number(match[2]),
    day: Number(match[3]),
    hour: match[4] === undefined ? null : Number(match[4]),
    minute: Number(match[5] ?? 0),
    second: Number(match[6] ?? 0),
    offset,
  };
};

function wallClock({ year, month, day, hour, minute, second }: WrittenDate): object {
  return { year, month, day, hour: hour ?? NOON, minute, second };
}

function utc(clock: WrittenDate): number {
  const { year, month, day, hour, minute, second } = clock;
  return Date.UTC(year, month - 1, day, hour ?? NOON, minute, second);
}

function noon(day: number): { year: number; month: number; day: number; hour: number } {
  const date = new Date(day * DAY_MS);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: NOON,
  };
}

/** Whether this day and this time exist. */
function exists(clock: WrittenDate): boolean {
  const { year, month, day, hour, minute, second } = clock;
  if (year < 1000 || (hour ?? NOON) > 23 || minute > 59 || second > 59) return false;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && month > 0;
}

function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
