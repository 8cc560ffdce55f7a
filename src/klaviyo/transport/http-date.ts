/**
 * Unix milliseconds of an HTTP date (`Tue, 07 Jul 2026 10:00:00 GMT`, whole seconds); null where it is
 * missing or none.
 */
export function parseHttpDate(text: string | undefined): number | null {
  // It names its weekday first; Date.parse alone would read "-5" as a year.
  if (text === undefined || !/^[A-Za-z]{3,9},? /.test(text)) return null;
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
}
