import { compareEmails } from '../../store/identifiers/email-order.js';
import type { ProfileStore } from '../../store/profiles.js';
import type { Span } from '../../store/suppressions.js';
import type { Place } from '../../store/events/time-index.js';
import type { Sort } from '../query/query.js';
import { LIST_SUPPRESSIONS, SUPPRESSION } from './query-rules.js';

/** Position of a profile in an order: its sort value and, for equal values, its number. */
export interface ProfileCursor {
  key: number | string | null;
  index: number;
}

export function isProfileCursor(value: unknown): value is ProfileCursor {
  const cursor = value as Partial<ProfileCursor> | null;
  return typeof cursor === 'object' && typeof cursor?.index === 'number' && 'key' in cursor;
}

/** An order of profiles: along an index of the store, or over a few that were found otherwise. */
export interface ProfileOrder {
  /** All profiles after the given position; those outside the span may be left out. */
  walk(after: ProfileCursor | null, span: Span): Iterable<number>;
  keyOf(index: number): ProfileCursor['key'];
  /** Less than 0 if the first comes first. */
  readonly compare: (a: ProfileCursor, b: ProfileCursor) => number;
}

const ALWAYS: Span = { from: -Infinity, to: Infinity };

/** The order for a `sort` value. */
export function orderOf(profiles: ProfileStore, { field, descending }: Sort): ProfileOrder {
  if (field === 'email') return byEmail(profiles, descending);
  if (field === 'created' || field === 'updated') return byDate(profiles, field, descending);
  if (field === `${SUPPRESSION}.timestamp`) {
    return bySuppression(profiles, 'suppressions', descending);
  }
  if (field === `${LIST_SUPPRESSIONS}.timestamp`) {
    return bySuppression(profiles, 'listSuppressions', descending);
  }
  return byId(profiles, descending);
}

function byId(profiles: ProfileStore, descending: boolean): ProfileOrder {
  return {
    walk: (after) =>
      descending
        ? profiles.backFrom((after?.index ?? profiles.end) - 1)
        : profiles.from((after?.index ?? -1) + 1),
    keyOf: (index) => index,
    compare: directed(descending, (a, b) => a.index - b.index),
  };
}

function byEmail(profiles: ProfileStore, descending: boolean): ProfileOrder {
  return {
    walk: (after) =>
      profiles.byEmail.walk(
        descending,
        after && { email: after.key as string | null, index: after.index },
      ),
    keyOf: (index) => profiles.email(index),
    compare: directed(
      descending,
      (a, b) => compareEmails(a.key as string | null, b.key as string | null) || a.index - b.index,
    ),
  };
}

function byDate(
  profiles: ProfileStore,
  field: 'created' | 'updated',
  descending: boolean,
): ProfileOrder {
  const index = field === 'created' ? profiles.byCreated : profiles.byUpdated;
  return {
    walk: (after, { from, to }) => {
      const place = after && placeOf(after);
      return descending ? index.descending(from, to, place) : index.ascending(from, to, place);
    },
    keyOf: (member) => (field === 'created' ? profiles.created(member) : profiles.updated(member)),
    compare: directed(descending, (a, b) => Number(a.key) - Number(b.key) || a.index - b.index),
  };
}

/**
 * By the first or, descending, the last suppression of each profile. The position of profiles
 * without one is not documented: here they are at the end of both orders, by id.
 */
function bySuppression(
  profiles: ProfileStore,
  kind: 'suppressions' | 'listSuppressions',
  descending: boolean,
): ProfileOrder {
  const store = profiles[kind];
  return {
    *walk(after) {
      if (after === null || after.key !== null) {
        const place = after && placeOf(after);
        for (const { member } of store.walk({}, ALWAYS, descending, place)) yield member;
      }
      const first = after?.key === null ? after.index + 1 : 0;
      for (const index of profiles.from(first)) if (!store.has(index)) yield index;
    },
    keyOf: (index) => store.dateOf(index, {}, ALWAYS, descending) ?? null,
    compare(a, b) {
      if (a.key === null || b.key === null) {
        return Number(a.key === null) - Number(b.key === null) || a.index - b.index;
      }
      const order = Number(a.key) - Number(b.key) || a.index - b.index;
      return descending ? -order : order;
    },
  };
}

const placeOf = ({ key, index }: ProfileCursor): Place => ({ time: Number(key), member: index });

const directed =
  (descending: boolean, compare: ProfileOrder['compare']): ProfileOrder['compare'] =>
  (a, b) =>
    descending ? -compare(a, b) : compare(a, b);
