import { isEmail } from '../../http/body.js';

/** Documented: longer ones are invalid. */
const MAX_LENGTH = 100;

export function isAddress(value: unknown): value is string {
  return typeof value === 'string' && isEmail(value.trim()) && value.trim().length <= MAX_LENGTH;
}

/** An address as it is stored. */
export const addressOf = (text: string): string => text.trim().toLowerCase();
