const PARTS = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/;

/** As Klaviyo sends nearly all of them. */
const SENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?\+00:00$/;

const MICROSECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/**
 * A datetime of Klaviyo in the one form in which records keep it: in UTC with microseconds,
 * `2026-01-02T03:04:05.000006Z`. Smaller fractions are cut off: no database keeps them. A time without
 * an offset is in UTC, as all of Klaviyo's are.
 */
export function microseconds(datetime: string): string {
  if (MICROSECONDS.test(datetime)) return datetime;
  if (SENT.test(datetime)) {
    const inUtc = datetime.slice(0, -'+00:00'.length);
    return datetime.includes('.') ? `${inUtc}Z` : `${inUtc}.000000Z`;
  }
  const [, day = '', time = '', fraction = '', zone = 'Z'] = PARTS.exec(datetime) ?? [];
  if (day === '') return microsecondsOfDate(datetime);
  const digits = fraction.slice(0, 6).padEnd(6, '0');
  if (zone === 'Z' || zone === '+00:00') return `${day}T${time}.${digits}Z`;
  // Offsets are whole minutes, so the fraction stays.
  return `${new Date(`${day}T${time}${zone}`).toISOString().slice(0, 19)}.${digits}Z`;
}

/** Other spellings of ISO 8601, such as without seconds. */
function microsecondsOfDate(datetime: string): string {
  const isLocal = /T[\d:.]+$/.test(datetime);
  return `${new Date(isLocal ? `${datetime}Z` : datetime).toISOString().slice(0, -1)}000Z`;
}
