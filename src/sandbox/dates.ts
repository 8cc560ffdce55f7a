const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Epoch ms of an RFC 3339 date with an explicit offset; undefined for anything else. */
export function instantOf(text: string): number | undefined {
  if (!RFC3339.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** As Klaviyo shows dates: `2023-07-28T13:26:48.852000+00:00`, without a fraction that is zero. */
export function isoDate(ms: number): string {
  const iso = new Date(ms).toISOString();
  const seconds = iso.slice(0, 19);
  const fraction = iso.slice(20, 23);
  return fraction === '000' ? `${seconds}+00:00` : `${seconds}.${fraction}000+00:00`;
}

/** As Klaviyo writes dates in the text of an error: `2025-07-22 18:22:22+00:00`. */
export function spokenDate(ms: number): string {
  return isoDate(ms).replace('T', ' ');
}

export const isoDateOrNull = (ms: number | null): string | null =>
  ms === null ? null : isoDate(ms);
