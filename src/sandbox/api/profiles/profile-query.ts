import { compareEmails } from '../../store/email-order.js';
import type { ProfileStore } from '../../store/profiles.js';
import type { TimeIndex } from '../../store/time-index.js';
import { textsOf, type Condition } from '../filter.js';
import type { PageRequest } from '../page.js';
import type { Sort } from '../query.js';

/** Place of a profile in an order: the value it is sorted by and, among equals, its number. */
export interface ProfileCursor {
  key: number | string | null;
  index: number;
}

export function isProfileCursor(value: unknown): value is ProfileCursor {
  const cursor = value as Partial<ProfileCursor> | null;
  return typeof cursor === 'object' && typeof cursor?.index === 'number';
}

/** Open interval of a date filter, in epoch ms; both ends count. */
export interface Range {
  from: number;
  to: number;
}

/** What the conditions on one date field leave. Dates are whole ms here, so `>` is `>= + 1`. */
export function rangeOf(conditions: readonly Condition[], field: string): Range {
  const range = { from: -Infinity, to: Infinity };
  for (const { operator, field: on, value } of conditions) {
    if (on !== field || value.kind !== 'date') continue;
    const { ms } = value;
    if (operator === 'greater-than') range.from = Math.max(range.from, ms + 1);
    if (operator === 'greater-or-equal') range.from = Math.max(range.from, ms);
    if (operator === 'less-than') range.to = Math.min(range.to, ms - 1);
    if (operator === 'less-or-equal') range.to = Math.min(range.to, ms);
  }
  return range;
}

/** Profiles that the conditions name by an identifier; null where none does. */
export function namedProfiles(
  profiles: ProfileStore,
  conditions: readonly Condition[],
): number[] | null {
  const lookUp: Record<string, (text: string) => number | undefined> = {
    id: (text) => profiles.withId(text),
    email: (text) => profiles.withEmail(text),
    phone_number: (text) => profiles.withPhone(text),
  };
  const sets = conditions.flatMap(({ field, value }) => {
    const find = lookUp[field];
    if (find === undefined) return [];
    return [
      new Set(
        textsOf(value)
          .map(find)
          .filter((index) => index !== undefined),
      ),
    ];
  });
  const [first, ...others] = sets;
  if (first === undefined) return null;
  return [...first].filter((index) => others.every((set) => set.has(index)));
}

/**
 * One page of profiles, and the place of its last one where more follow.
 *
 * A look-up by identifiers never scans. Otherwise the walk goes along the sort's own index, or,
 * where a date filter leaves few, sorts just those.
 */
export function pageOfProfiles(
  profiles: ProfileStore,
  conditions: readonly Condition[],
  sort: Sort,
  page: PageRequest<ProfileCursor>,
): { found: number[]; last: ProfileCursor | null } {
  const created = rangeOf(conditions, 'created');
  const updated = rangeOf(conditions, 'updated');
  const matches = (index: number) =>
    within(profiles.created(index), created) && within(profiles.updated(index), updated);
  const keyOf = keyReader(profiles, sort.field);
  const few =
    namedProfiles(profiles, conditions) ?? fewByDate(profiles, created, updated, page.size);
  const walk =
    few === null
      ? walkAll(profiles, sort, page.after, sort.field === 'created' ? created : updated)
      : sorted(few, keyOf, sort.descending, page.after);
  const found: number[] = [];
  for (const index of walk) {
    if (!matches(index)) continue;
    if (found.length === page.size) {
      const lastIndex = found.at(-1)!;
      return { found, last: { key: keyOf(lastIndex), index: lastIndex } };
    }
    found.push(index);
  }
  return { found, last: null };
}

const within = (time: number, { from, to }: Range): boolean => time >= from && time <= to;

function keyReader(
  profiles: ProfileStore,
  field: string,
): (index: number) => number | string | null {
  if (field === 'id') return (index) => index;
  if (field === 'email') return (index) => profiles.email(index);
  return (index) => (field === 'created' ? profiles.created(index) : profiles.updated(index));
}

/** Those within a date range, where sorting them costs less than walking past all the others. */
function fewByDate(
  profiles: ProfileStore,
  created: Range,
  updated: Range,
  pageSize: number,
): number[] | null {
  const options: [TimeIndex, Range][] = [
    [profiles.byUpdated, updated],
    [profiles.byCreated, created],
  ];
  for (const [index, { from, to }] of options) {
    if (from === -Infinity && to === Infinity) continue;
    const left = index.count(from, to);
    if (left * left < pageSize * profiles.size) return [...index.ascending(from, to, null)];
  }
  return null;
}

function walkAll(
  profiles: ProfileStore,
  { field, descending }: Sort,
  after: ProfileCursor | null,
  range: Range,
): Iterable<number> {
  if (field === 'id') {
    return descending
      ? profiles.backFrom((after?.index ?? profiles.end) - 1)
      : profiles.from((after?.index ?? -1) + 1);
  }
  if (field === 'email') {
    const place = after && { email: after.key as string | null, index: after.index };
    return profiles.byEmail.walk(descending, place);
  }
  const index = field === 'created' ? profiles.byCreated : profiles.byUpdated;
  const place = after && { time: Number(after.key), member: after.index };
  return descending
    ? index.descending(range.from, range.to, place)
    : index.ascending(range.from, range.to, place);
}

function sorted(
  few: readonly number[],
  keyOf: (index: number) => number | string | null,
  descending: boolean,
  after: ProfileCursor | null,
): number[] {
  const direction = descending ? -1 : 1;
  const compare = (a: ProfileCursor, b: ProfileCursor) =>
    direction * (compareKeys(a.key, b.key) || a.index - b.index);
  const places = few.map((index) => ({ key: keyOf(index), index }));
  const left = after === null ? places : places.filter((place) => compare(place, after) > 0);
  return left.sort(compare).map(({ index }) => index);
}

function compareKeys(a: ProfileCursor['key'], b: ProfileCursor['key']): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return compareEmails(a as string | null, b as string | null);
}
