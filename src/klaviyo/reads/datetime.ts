import { DateTime } from 'luxon';
import * as z from 'zod';

/** As Klaviyo writes it, on a day that every month has: nearly all. */
const PLAIN =
  /^(?!0|9999)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/** Years, in UTC, of which every clock, calendar and database here knows. */
const YEARS = { first: 1, last: 9_999 } as const;
/** Minutes: no clock differs from UTC by more. */
const MOST_OFFSET = 14 * 60;

/** Whether there is such a moment: neither 30 February nor the year 0, which PostgreSQL refuses. */
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

/** A datetime that may be missing. What is no moment counts as missing. Klaviyo's text is kept. */
export const optionalDatetime = z
  .string()
  .nullish()
  .transform((text) => (typeof text === 'string' && isDatetime(text) ? text : null));

/** A datetime that must be there. */
export const datetime = z.string().refine(isDatetime, 'there is no such moment');
