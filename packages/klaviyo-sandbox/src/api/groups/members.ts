import type { Group } from '../../store/group.js';
import type { Place } from '../../store/events/time-index.js';
import type { Filterable } from '../query/filter.js';
import type { Call, Reply } from '../operation.js';
import { linksOf } from '../page.js';
import { isWithin, spanOf } from '../profiles/date-span.js';
import { namedProfiles } from '../profiles/body/identifiers.js';
import { profileWriter } from '../profiles/resource/profile-resource.js';
import { PROFILE_PAGE } from '../profiles/query-rules.js';
import type { QueryRules } from '../query/query.js';

const NAMED = { operators: ['any', 'equals'], kind: 'text' } as const;

/** The filter fields of list members; a segment also has `profile_id`. */
export const LIST_MEMBER_FILTERS: Filterable = {
  email: NAMED,
  phone_number: NAMED,
  push_token: NAMED,
  _kx: { operators: ['equals'], kind: 'text' },
  joined_group_at: {
    operators: ['greater-or-equal', 'greater-than', 'less-or-equal', 'less-than'],
    kind: 'date',
  },
};
export const SEGMENT_MEMBER_FILTERS: Filterable = { profile_id: NAMED, ...LIST_MEMBER_FILTERS };

/** Order and size of a page of members. */
export const MEMBER_PAGE: QueryRules = {
  sort: { by: ['joined_group_at'], usual: 'joined_group_at' },
  page: PROFILE_PAGE,
};

/** A page of the group's members as profiles with the date of joining. */
export function replyWithMembers(call: Call, group: Group): Reply {
  const { account, query, url } = call;
  const write = profileWriter(account, query, url.origin);
  const { members, last } = pageOfMembers(call, group);
  const data = members.map((index) => write(index, group.joinedAt(index)));
  return { status: 200, body: { data, links: linksOf(url, last) } };
}

/** The same page with ids only. */
export function replyWithMemberIds(call: Call, group: Group): Reply {
  const { members, last } = pageOfMembers(call, group);
  const data = members.map((index) => ({ type: 'profile', id: call.account.profiles.id(index) }));
  return { status: 200, body: { data, links: linksOf(call.url, last) } };
}

/** Walks along the dates of joining, but looks up members that are named by an identifier. */
function pageOfMembers(
  { account, query }: Call,
  group: Group,
): { members: number[]; last: Place | null } {
  const { descending } = query.sort;
  const { size, after } = query.page(isPlace);
  const span = spanOf(query.conditions, 'joined_group_at');
  const named = namedProfiles(account, query.conditions);
  const walk =
    named === null
      ? descending
        ? group.byJoined.descending(span.from, span.to, after)
        : group.byJoined.ascending(span.from, span.to, after)
      : inOrderOfJoining(group, named, descending, after);
  const members: number[] = [];
  for (const index of walk) {
    if (!isWithin(group.joinedAt(index)!, span)) continue;
    if (members.length === size) {
      const member = members.at(-1)!;
      return { members, last: { time: group.joinedAt(member)!, member } };
    }
    members.push(index);
  }
  return { members, last: null };
}

function inOrderOfJoining(
  group: Group,
  named: readonly number[],
  descending: boolean,
  after: Place | null,
): number[] {
  const compare = (a: Place, b: Place) =>
    (descending ? -1 : 1) * (a.time - b.time || a.member - b.member);
  return named
    .flatMap((member): Place[] => {
      const time = group.joinedAt(member);
      return time === undefined ? [] : [{ time, member }];
    })
    .filter((place) => after === null || compare(place, after) > 0)
    .sort(compare)
    .map(({ member }) => member);
}

function isPlace(value: unknown): value is Place {
  const place = value as Partial<Place> | null;
  return (
    typeof place === 'object' && typeof place?.time === 'number' && typeof place.member === 'number'
  );
}
