import { isoDate } from '../../time/dates.js';
import type { List } from '../../store/lists.js';
import { groupRelationships } from '../groups/flows-and-tags.js';
import type { Query } from '../query/query.js';

export interface ListResource {
  type: 'list';
  id: string;
  attributes: Record<string, unknown>;
  relationships: object;
  links: { self: string };
}

/** Turns lists into resources as the query requests them. */
export function listWriter(query: Query, origin: string): (list: List) => ListResource {
  const counted = query.adds('list', 'profile_count');
  return (list) => {
    const self = `${origin}/api/lists/${list.id}/`;
    return {
      type: 'list',
      id: list.id,
      attributes: query.pick('list', {
        name: list.name,
        created: isoDate(list.created),
        updated: isoDate(list.updated),
        opt_in_process: list.optIn,
        ...(counted ? { profile_count: list.size } : {}),
      }),
      relationships: groupRelationships(list, query, self),
      links: { self },
    };
  };
}
