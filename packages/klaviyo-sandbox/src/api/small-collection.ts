import { textsOf, type Condition } from './query/filter.js';
import { linksOf } from './page.js';
import type { Query } from './query/query.js';

/** The values that an item is filtered and sorted by: strings, epoch ms, booleans. */
export type Values = Readonly<Record<string, string | number | boolean | null>>;

/**
 * One page of a collection that is small enough to be filtered and sorted as a whole: lists,
 * segments, jobs, webhooks. Items with equal sort values are ordered by id.
 */
export function pageOfFew<Thing extends { readonly id: string }>(
  { query, url }: { query: Query; url: URL },
  things: Iterable<Thing>,
  valuesOf: (thing: Thing) => Values,
): { found: Thing[]; links: ReturnType<typeof linksOf> } {
  const { field, descending } = query.sort;
  const { size, after } = query.page(isPlace);
  const direction = descending ? -1 : 1;
  const compare = (a: Place, b: Place) =>
    direction * (compareValues(a.key, b.key) || compareValues(a.id, b.id));
  const left = [...things]
    .map((thing) => ({ thing, values: valuesOf(thing) }))
    .filter(({ values }) => query.conditions.every((condition) => holds(condition, values)))
    .map(({ thing, values }) => ({ thing, key: values[field] ?? null, id: thing.id }))
    .filter((place) => after === null || compare(place, after) > 0)
    .sort(compare);
  const found = left.slice(0, size);
  const { key, id } = found.at(-1) ?? { key: null, id: '' };
  return {
    found: found.map(({ thing }) => thing),
    links: linksOf(url, left.length > size ? { key, id } : null),
  };
}

/** Whether a condition matches these values. */
export function holds({ operator, field, value }: Condition, values: Values): boolean {
  const actual = values[field] ?? null;
  if (value.kind === 'boolean') return actual === value.is;
  if (value.kind === 'booleans') return value.are.includes(actual === true);
  if (value.kind === 'date' || value.kind === 'number') {
    const limit = value.kind === 'date' ? value.ms : value.number;
    return typeof actual === 'number' && isOnTheSide(operator, actual, limit);
  }
  return typeof actual === 'string' && textsOf(value).includes(actual);
}

function isOnTheSide(operator: string, actual: number, limit: number): boolean {
  if (operator === 'greater-than') return actual > limit;
  if (operator === 'greater-or-equal') return actual >= limit;
  if (operator === 'less-than') return actual < limit;
  return operator === 'less-or-equal' ? actual <= limit : actual === limit;
}

interface Place {
  key: Values[string];
  id: string;
}

function isPlace(value: unknown): value is Place {
  const place = value as Partial<Place> | null;
  return typeof place === 'object' && typeof place?.id === 'string' && 'key' in place;
}

function compareValues(a: Values[string], b: Values[string]): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}
