import { notFound } from '../errors.js';
import type { Call, Reply } from '../operation.js';
import { linksOf } from '../page.js';
import { isProfileCursor, pageOfProfiles } from './profile-query.js';
import { profileWriter } from './profile-resource.js';

/** `get_profiles`. Without `sort` in order of ids, which never changes under the reader. */
export function getProfiles({ account, query, url }: Call): Reply {
  const { conditions, sort } = query;
  const page = query.page(isProfileCursor);
  const write = profileWriter(account, query, url.origin);
  const { found, last } = pageOfProfiles(account.profiles, conditions, sort, page);
  return {
    status: 200,
    body: { data: found.map((index) => write(index)), links: linksOf(url, last) },
  };
}

/** `get_profile` */
export function getProfile({ account, id, query, url }: Call): Reply {
  const index = account.profiles.withId(id);
  if (index === undefined) throw notFound('profile', id);
  const data = profileWriter(account, query, url.origin)(index);
  return { status: 200, body: { data, links: { self: url.href } } };
}
