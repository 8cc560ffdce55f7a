import { InvalidArgumentError } from 'commander';
import { readDuration } from '../starter/migrations/request/spelling.js';

/** `90s`, `15m`, `1h` in whole milliseconds. */
export function parseDuration(text: string): number {
  const ms = readDuration(text);
  if (ms === null) throw new InvalidArgumentError('Give a number and a unit: 90s, 15m or 1h.');
  return ms;
}

/** A whole number from `least`. */
export function wholeNumber(
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const bounds = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Give a whole number ${bounds}.`);
  };
}

/** `US,CA` */
export function parseList(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
