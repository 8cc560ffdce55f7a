const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Epoch ms of an RFC 3339 date with an explicit offset; undefined for anything else. */
export function instantOf(text: string): number | undefined {
  if (!RFC3339.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 1_440 * MINUTE;
const MOST_DAYS = 20_000;
/** `2023-07-28` by the number of the day; there are millions of dates, but on few days. */
const days = new Map<number, string>();
/** `T13:26:` by the minute of the day. */
const MINUTES = Array.from({ length: DAY / MINUTE }, (_, i) =>
  new Date(i * MINUTE).toISOString().slice(10, 17),
);
const SECONDS = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, '0'));

/**
 * As Klaviyo shows dates: `2023-07-28T13:26:48.852000+00:00`, without a fraction of zero. Assembled
 * from cached parts, because dates are most of the work of rendering a profile.
 */
export function isoDate(ms: number): string {
  const whole = Math.trunc(ms);
  const day = Math.floor(whole / DAY);
  const left = whole - day * DAY;
  const minute = MINUTES[Math.floor(left / MINUTE)]!;
  const seconds = dayText(day) + minute + SECONDS[Math.floor((left % MINUTE) / SECOND)]!;
  const fraction = left % SECOND;
  return fraction === 0
    ? `${seconds}+00:00`
    : `${seconds}.${String(fraction).padStart(3, '0')}000+00:00`;
}

function dayText(day: number): string {
  let text = days.get(day);
  if (text === undefined) {
    if (days.size === MOST_DAYS) days.clear();
    text = new Date(day * DAY).toISOString().slice(0, 10);
    days.set(day, text);
  }
  return text;
}

/** As Klaviyo writes dates in the text of an error: `2025-07-22 18:22:22+00:00`. */
export function spokenDate(ms: number): string {
  return isoDate(ms).replace('T', ' ');
}

export const isoDateOrNull = (ms: number | null): string | null =>
  ms === null ? null : isoDate(ms);
