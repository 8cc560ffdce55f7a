import type { List } from '../../store/lists.js';
import { isoDate } from '../../dates.js';
import { resourceOf } from '../body.js';
import { ApiError, missing, refuse } from '../errors.js';
import { knownList } from './list-members.js';
import type { Call, Reply } from '../operation.js';
import type { Query } from '../query.js';
import { pageOfFew } from '../small-collection.js';

/** `get_lists`: at most 10 a page. */
export function getLists(call: Call): Reply {
  const { found, links } = pageOfFew(call, call.account.lists.all(), (list) => ({
    id: list.id,
    name: list.name,
    created: list.created,
    updated: list.created,
  }));
  return { status: 200, body: { data: found.map(listWriter(call.query, call.url.origin)), links } };
}

/** `get_list` */
export function getList({ account, id, query, url }: Call): Reply {
  const data = listWriter(query, url.origin)(knownList(account, id));
  return { status: 200, body: { data, links: { self: url.href } } };
}

/** `create_list`: without `opt_in_process` the account's default. */
export function createList({ account, body, query, url }: Call): Reply {
  const { attributes } = resourceOf(body, 'list');
  const name = attributes['name'];
  if (name === undefined)
    throw new ApiError(400, [missing('/data/attributes/name', 'name', 'list')]);
  if (typeof name !== 'string' || name.trim() === '') {
    throw refuse('/data/attributes/name', 'This field may not be blank.');
  }
  const optIn = attributes['opt_in_process'] ?? undefined;
  if (optIn !== undefined && optIn !== 'single_opt_in' && optIn !== 'double_opt_in') {
    throw refuse(
      '/data/attributes/opt_in_process',
      `${JSON.stringify(optIn)} is not a valid choice.`,
    );
  }
  const list = account.createList({
    name,
    ...(optIn === undefined ? {} : { opt_in_process: optIn }),
  });
  const data = listWriter(query, url.origin)(list);
  return { status: 201, body: { data, links: { self: data.links.self } } };
}

function listWriter(query: Query, origin: string) {
  const counted = query.adds('list', 'profile_count');
  return (list: List) => {
    const self = `${origin}/api/lists/${list.id}/`;
    const related = (name: string) => ({
      links: { self: `${self}relationships/${name}/`, related: `${self}${name}/` },
    });
    return {
      type: 'list',
      id: list.id,
      attributes: query.pick('list', {
        name: list.name,
        created: isoDate(list.created),
        updated: isoDate(list.created),
        opt_in_process: list.optIn,
        ...(counted ? { profile_count: list.size } : {}),
      }),
      relationships: { profiles: related('profiles'), tags: related('tags') },
      links: { self },
    };
  };
}
