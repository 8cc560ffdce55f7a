import type { SandboxAccount } from '../../account/account.js';
import type { ProfileStore } from '../../store/profiles.js';
import type { Span } from '../../store/suppressions.js';
import type { TimeIndex } from '../../store/events/time-index.js';
import type { Condition } from '../query/filter.js';
import type { PageRequest } from '../page.js';
import type { Sort } from '../query/query.js';
import { isUnbounded, isWithin, spanOf } from './date-span.js';
import { namedProfiles } from './body/identifiers.js';
import { orderOf, type ProfileCursor, type ProfileOrder } from './profile-order.js';
import type { SuppressionSearch } from './suppression-search.js';

/**
 * One page of profiles, and the position of its last one if more follow.
 *
 * A look-up by identifiers never scans. Other queries walk along the suppressions in the filter or
 * along the sort's own index. If a date filter leaves only a few profiles, just those are sorted.
 */
export function pageOfProfiles(
  account: Pick<SandboxAccount, 'profiles' | 'settings'>,
  { conditions, sort }: { conditions: readonly Condition[]; sort: Sort },
  search: SuppressionSearch | null,
  page: PageRequest<ProfileCursor>,
): { found: number[]; last: ProfileCursor | null } {
  const { profiles } = account;
  const created = spanOf(conditions, 'created');
  const updated = spanOf(conditions, 'updated');
  const order = search === null ? orderOf(profiles, sort) : suppressedOrder(profiles, search);
  const matches = (index: number) =>
    isWithin(profiles.created(index), created) &&
    isWithin(profiles.updated(index), updated) &&
    (search === null || order.keyOf(index) !== null);
  const few =
    namedProfiles(account, conditions) ?? fewByDate(profiles, created, updated, page.size);
  const walk =
    few === null
      ? order.walk(page.after, sort.field === 'created' ? created : updated)
      : sorted(few, order, page.after);
  const found: number[] = [];
  for (const index of walk) {
    if (!matches(index)) continue;
    if (found.length === page.size) {
      const lastIndex = found.at(-1)!;
      return { found, last: { key: order.keyOf(lastIndex), index: lastIndex } };
    }
    found.push(index);
  }
  return { found, last: null };
}

/** The profiles of the search, by the date of their suppression. No order is documented. */
function suppressedOrder(
  profiles: ProfileStore,
  { kind, wanted, span }: SuppressionSearch,
): ProfileOrder {
  const store = profiles[kind];
  return {
    *walk(after) {
      const place = after && { time: Number(after.key), member: after.index };
      for (const { member } of store.walk(wanted, span, false, place)) yield member;
    },
    keyOf: (index) => store.dateOf(index, wanted, span, false) ?? null,
    compare: (a, b) => Number(a.key) - Number(b.key) || a.index - b.index,
  };
}

/**
 * The profiles within a date range, if sorting them costs less than walking past all the others.
 */
function fewByDate(
  profiles: ProfileStore,
  created: Span,
  updated: Span,
  pageSize: number,
): number[] | null {
  const options: [TimeIndex, Span][] = [
    [profiles.byUpdated, updated],
    [profiles.byCreated, created],
  ];
  for (const [index, span] of options) {
    if (isUnbounded(span)) continue;
    const left = index.count(span.from, span.to);
    if (left * left < pageSize * profiles.size) {
      return [...index.ascending(span.from, span.to, null)];
    }
  }
  return null;
}

function sorted(
  few: readonly number[],
  order: ProfileOrder,
  after: ProfileCursor | null,
): number[] {
  const places = few.map((index) => ({ key: order.keyOf(index), index }));
  const left = after === null ? places : places.filter((place) => order.compare(place, after) > 0);
  return left.sort(order.compare).map(({ index }) => index);
}
