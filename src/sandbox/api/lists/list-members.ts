import type { SandboxAccount } from '../../account/account.js';
import type { List } from '../../store/lists.js';
import type { Place } from '../../store/time-index.js';
import { isObject } from '../body.js';
import { ApiError, missing, notFound, refuse } from '../errors.js';
import type { Call, Reply } from '../operation.js';
import { linksOf } from '../page.js';
import { namedProfiles, rangeOf } from '../profiles/profile-query.js';
import { profileWriter } from '../profiles/profile-resource.js';

const MAX_IDS = 1_000;

/** `get_profiles_for_list`: members with the date of joining. */
export function getListProfiles(call: Call): Reply {
  const { account, query, url } = call;
  const write = profileWriter(account, query, url.origin);
  const { list, members, last } = pageOfMembers(call);
  const data = members.map((index) => write(index, list.joinedAt(index)));
  return { status: 200, body: { data, links: linksOf(url, last) } };
}

/** `get_profile_ids_for_list` */
export function getListProfileIds(call: Call): Reply {
  const { members, last } = pageOfMembers(call);
  const data = members.map((index) => ({ type: 'profile', id: call.account.profiles.id(index) }));
  return { status: 200, body: { data, links: linksOf(call.url, last) } };
}

/** `add_profiles_to_list`: members without consent; one bad id refuses all. */
export function addToList({ account, id, body }: Call): Reply {
  const list = knownList(account, id);
  const now = account.clock.wall();
  const profiles = profilesOf(account, body);
  for (const index of profiles) list.join(index, now);
  return { status: 204, profiles: profiles.length };
}

/** `remove_profiles_from_list`: consent stays as it is. */
export function removeFromList({ account, id, body }: Call): Reply {
  const list = knownList(account, id);
  const profiles = profilesOf(account, body);
  for (const index of profiles) list.leave(index);
  return { status: 204, profiles: profiles.length };
}

/** @throws ApiError 404 */
export function knownList(account: SandboxAccount, id: string): List {
  const list = account.lists.get(id);
  if (list === undefined) throw notFound('list', id);
  return list;
}

function pageOfMembers({ account, id, query }: Call) {
  const list = knownList(account, id);
  const { conditions } = query;
  const { descending } = query.sort;
  const page = query.page(isPlace);
  const { from, to } = rangeOf(conditions, 'joined_group_at');
  const named = namedProfiles(account.profiles, conditions);
  const walk =
    named === null
      ? descending
        ? list.byJoined.descending(from, to, page.after)
        : list.byJoined.ascending(from, to, page.after)
      : placed(list, named, descending, page.after);
  const members: number[] = [];
  for (const index of walk) {
    const joined = list.joinedAt(index)!;
    if (joined < from || joined > to) continue;
    if (members.length === page.size) {
      const member = members.at(-1)!;
      return { list, members, last: { time: list.joinedAt(member)!, member } };
    }
    members.push(index);
  }
  return { list, members, last: null };
}

/** Those of the named who are on the list, in order of joining. */
function placed(list: List, named: readonly number[], descending: boolean, after: Place | null) {
  const compare = (a: Place, b: Place) =>
    (descending ? -1 : 1) * (a.time - b.time || a.member - b.member);
  return named
    .flatMap((member): Place[] => {
      const time = list.joinedAt(member);
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

function profilesOf(account: SandboxAccount, body: unknown): number[] {
  const data = isObject(body) ? body['data'] : undefined;
  if (!Array.isArray(data)) throw new ApiError(400, [missing('/data', 'data', 'request-data')]);
  if (data.length > MAX_IDS) {
    const detail = `The maximum number of profiles per request is ${MAX_IDS}; got ${data.length}.`;
    throw refuse('/data', detail);
  }
  const unknown: string[] = [];
  const profiles: number[] = [];
  for (const entry of data) {
    const id = String(isObject(entry) ? entry['id'] : entry);
    const index = account.profiles.withId(id);
    if (index === undefined) unknown.push(id);
    else profiles.push(index);
  }
  if (unknown.length > 0) throw refuse('/data/', `Invalid profile IDs: ${unknown.join(', ')}`);
  return profiles;
}
