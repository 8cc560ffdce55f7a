import { notFound } from './errors.js';
import { filterOf, type Filterable } from './filter.js';
import type { Call, Reply } from './operation.js';
import { linksOf, pageOf } from './page.js';
import { isProfileCursor, pageOfProfiles, sortOf } from './profile-query.js';
import { profileWriter } from './profile-resource.js';

const FILTERS: Filterable = {
  id: { operators: ['any', 'equals'], kind: 'text' },
  email: { operators: ['any', 'equals'], kind: 'text' },
  phone_number: { operators: ['any', 'equals'], kind: 'text' },
  created: { operators: ['greater-than', 'less-than'], kind: 'date' },
  updated: { operators: ['greater-than', 'less-than'], kind: 'date' },
};

/** `get_profiles`. Without `sort` in order of ids, which never changes under the reader. */
export function getProfiles({ account, query, url }: Call): Reply {
  const conditions = filterOf(query, FILTERS);
  const sort = sortOf(query, ['id', 'created', 'updated', 'email'], 'id');
  const page = pageOf(query, { default: 20, max: 100 }, isProfileCursor);
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
