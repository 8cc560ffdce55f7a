import { canonicalJson } from '../../consent/record/canonical.js';
import type { SqlValue } from '../sql/database.js';
import type { SqlType } from '../sql/layout.js';

/** A value as a session in UTC with ISO dates writes it, in the form of this product. */
export function decode(type: SqlType, text: string): SqlValue {
  switch (type) {
    case 'boolean':
      return text === 't';
    case 'timestamp':
      return timeOf(text);
    case 'json':
      return text === '[]' ? text : canonicalJson(JSON.parse(text));
    case 'number':
    case 'counter':
      return Number(text);
    default:
      return text;
  }
}

/** `2026-01-02 03:04:05.000006+00`, without zeros at the end of the fraction. */
function timeOf(text: string): string {
  const end = text.length - 3;
  if (text[10] !== ' ' || !text.endsWith('+00') || end < 19)
    throw new Error(`A time of the destination is not one of a year of four digits: ${text}`);
  const fraction = text.slice(20, end);
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction.padEnd(6, '0')}Z`;
}
