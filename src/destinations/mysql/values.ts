import { canonicalJson } from '../../consent/record/canonical.js';
import type { SqlValue } from '../sql/database.js';
import type { SqlType } from '../sql/layout.js';
import { MYSQL } from './dialect.js';

/** A value as the server writes it, in the form of this product. Times are in UTC. */
export function decode(type: SqlType, text: string): SqlValue {
  switch (type) {
    case 'boolean':
      return text !== '0';
    case 'timestamp':
      return `${text.slice(0, 10)}T${text.slice(11)}Z`;
    case 'json':
      return text === '[]' ? text : canonicalJson(JSON.parse(text));
    case 'number':
    case 'counter':
      return Number(text);
    default:
      return text;
  }
}

/** A value of a column as the driver takes it. */
export function encode(type: SqlType, value: SqlValue): SqlValue {
  return type === 'timestamp' && typeof value === 'string' ? MYSQL.time(value) : value;
}
