/**
 * How a caller writes a setting, so that messages show it in the same form: `--undated list_only`
 * at the CLI, `undated: 'list_only'` in a script.
 *
 * @param setting its name, after that of its group: `timing.confirmWithinMs`
 * @param value left out if only the name is meant
 */
export type Spelling = (setting: string, value?: unknown) => string;

/** As in a script or a file. */
export const asProperty: Spelling = (setting, value) =>
  value === undefined ? setting : `${setting}: ${shown(value)}`;

const MOST_SHOWN = 60;

/** A value in a message. A list or an object is only named as such: it may hold a password. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > MOST_SHOWN ? 'too long' : `'${value}'`;
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'undefined':
      return 'missing';
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
    default:
      return `a ${typeof value}`;
  }
}

/** `1,000` */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Reads `90s`, `15m` or `1h` as whole milliseconds; null for anything else. */
export function readDuration(text: string): number | null {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim()) ?? [];
  const [, length] = [...UNITS, ['ms', 1] as const].find(([name]) => name === unit) ?? [];
  const ms = length === undefined ? 0 : Math.round(Number(amount) * length);
  return ms > 0 ? ms : null;
}

/** Milliseconds in the form that flags take: `90s`, `15m`, `1h`. */
export function durationText(ms: number): string {
  const [unit, of] = UNITS.find(([, length]) => ms >= length && ms % length === 0) ?? ['ms', 1];
  return `${ms / of}${unit}`;
}

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;
