import type { SandboxAccount } from '../../account/account.js';
import { listWriter } from '../lists/list-resource.js';
import type { Call, Reply } from '../operation.js';
import { linksOf } from '../page.js';
import { unknownId } from '../unknown-id.js';
import { Inclusions } from './resource/included.js';
import { isProfileCursor } from './profile-order.js';
import { pageOfProfiles } from './profile-query.js';
import { profileWriter } from './resource/profile-resource.js';
import { suppressionSearch } from './suppression-search.js';

/** `get_profiles`. Without `sort`, in the order of ids, which is stable while paging. */
export function getProfiles({ account, query, url }: Call): Reply {
  const search = suppressionSearch(query.conditions, url.searchParams.has('sort'));
  const page = query.page(isProfileCursor);
  const included = new Inclusions(account, query, url.origin);
  const write = profileWriter(account, query, url.origin, included);
  const { found, last } = pageOfProfiles(account, query, search, page);
  const data = found.map((index) => write(index));
  return { status: 200, body: { data, ...included.included, links: linksOf(url, last) } };
}

/** `get_profile` */
export function getProfile({ account, id, query, url }: Call): Reply {
  const index = profileToRead(account, id);
  const included = new Inclusions(account, query, url.origin);
  const data = profileWriter(account, query, url.origin, included)(index);
  return { status: 200, body: { data, ...included.included, links: { self: url.href } } };
}

/** `get_lists_for_profile`: all of them on one page. */
export function getListsForProfile({ account, id, query, url }: Call): Reply {
  const index = profileToRead(account, id);
  const lists = account.lists.all().filter((list) => list.has(index));
  const data = lists.map(listWriter(query, url.origin));
  return { status: 200, body: { data, links: linksOf(url, null) } };
}

/** @throws ApiError 404, or 400 by the switch */
function profileToRead(account: SandboxAccount, id: string): number {
  const index = account.profiles.withId(id);
  if (index === undefined) throw unknownId(account, 'profile', id);
  return index;
}
