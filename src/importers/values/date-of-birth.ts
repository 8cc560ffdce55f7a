import { cellText } from './cell-text.js';

const DAY = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]00:00(?::00)?(?:[.]0+)?)?$/;

export type BirthReading =
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'valid'; readonly day: string };

/** Reads a date of birth, `YYYY-MM-DD`: an existing day, from 1900 to the day of `now`. */
export function readDateOfBirth(raw: string, now: Date): BirthReading {
  const text = cellText(raw);
  if (text === '') return { kind: 'missing' };
  const match = DAY.exec(text);
  if (match === null) return { kind: 'invalid' };
  const day = text.slice(0, 10);
  const date = new Date(`${day}T00:00:00Z`);
  const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
  const possible = exists && date.getUTCFullYear() >= 1900 && date <= now;
  return possible ? { kind: 'valid', day } : { kind: 'invalid' };
}
