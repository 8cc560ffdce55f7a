import { DateTime } from 'luxon';
import * as z from 'zod';

/** A datetime as Klaviyo writes it, on a day that every month has: this covers nearly all. */
const PLAIN =
  /^(?!0|9999)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/** Years, in UTC, that JavaScript, luxon and PostgreSQL all support. */
const YEARS = { first: 1, last: 9_999 } as const;
/** In minutes: no time zone differs from UTC by more. */
const MOST_OFFSET = 14 * 60;

/**
 * Whether this point in time exists: 30 February does not, nor does the year 0, which PostgreSQL
 * refuses.
 */
export function isDatetime(text: string): boolean {
  if (PLAIN.test(text)) return true;
  // luxon takes any offset, and JavaScript any day up to the 31st.
  const moment = DateTime.fromISO(text, { setZone: true });
  const { year } = moment.toUTC();
  return (
    moment.isValid &&
    Math.abs(moment.offset) <= MOST_OFFSET &&
    !Number.isNaN(Date.parse(text)) &&
    year >= YEARS.first &&
    year <= YEARS.last
  );
}

/** A datetime that may be missing. An invalid one counts as missing. Klaviyo's text is kept. */
export const optionalDatetime = z
  .string()
  .nullish()
  .transform((text) => (typeof text === 'string' && isDatetime(text) ? text : null));

/** A required datetime. */
export const datetime = z.string().refine(isDatetime, 'no such point in time exists');
