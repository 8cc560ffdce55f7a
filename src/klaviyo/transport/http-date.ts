/**
 * Unix milliseconds of an HTTP date (`Tue, 07 Jul 2026 10:00:00 GMT`, whole seconds); null if it is
 * missing or invalid.
 */
export function parseHttpDate(text: string | undefined): number | null {
  // It begins with the weekday; Date.parse alone would read "-5" as a year.
  if (text === undefined || !/^[A-Za-z]{3,9},? /.test(text)) return null;
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
}
