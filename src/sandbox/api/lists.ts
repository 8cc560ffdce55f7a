import type { List } from '../store/lists.js';
import { isoDate } from '../dates.js';
import { resourceOf } from './body.js';
import { ApiError, missing, refuse } from './errors.js';
import { additionalFields, sparse } from './fields.js';
import { filterOf, type Condition, type Filterable } from './filter.js';
import { knownList } from './list-members.js';
import { TIERS, type Call, type NamedLimit, type Reply } from './operation.js';
import { linksOf, pageOf } from './page.js';
import { rangeOf, sortOf } from './profile-query.js';

const FIELDS = ['id', 'name', 'created', 'updated', 'opt_in_process', 'profile_count'];
const FILTERS: Filterable = {
  name: { operators: ['any', 'equals'], kind: 'text' },
  id: { operators: ['any', 'equals'], kind: 'text' },
  created: { operators: ['greater-than'], kind: 'date' },
  updated: { operators: ['greater-than'], kind: 'date' },
};

/** `get_lists`: at most 10 a page. */
export function getLists({ account, query, url }: Call): Reply {
  const conditions = filterOf(query, FILTERS);
  const { field, descending } = sortOf(query, ['id', 'created', 'name', 'updated'], 'id');
  const { size, after } = pageOf(query, { default: 10, max: 10 }, isString);
  const write = listWriter(query, url.origin);
  const keyOf = (list: List) => {
    if (field === 'id') return list.id;
    return field === 'name' ? list.name : String(list.created).padStart(16, '0');
  };
  const place = (list: List) => `${keyOf(list)}\0${list.id}`;
  const direction = descending ? -1 : 1;
  const left = account.lists
    .all()
    .filter((list) => matches(list, conditions))
    .filter((list) => after === null || direction * compare(place(list), after) > 0)
    .sort((a, b) => direction * compare(place(a), place(b)));
  const found = left.slice(0, size);
  const last = left.length > size ? place(found.at(-1)!) : null;
  return { status: 200, body: { data: found.map(write), links: linksOf(url, last) } };
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

/** `profile_count` is dear: 1 a second. */
export function profileCountLimit(query: URLSearchParams): NamedLimit | undefined {
  return query.has('additional-fields[list]')
    ? { name: 'list profile_count', limit: TIERS.XS }
    : undefined;
}

function listWriter(query: URLSearchParams, origin: string) {
  const counted = additionalFields(query, 'list', ['profile_count']).has('profile_count');
  const pick = sparse(query, 'list', FIELDS);
  return (list: List) => {
    const self = `${origin}/api/lists/${list.id}/`;
    const related = (name: string) => ({
      links: { self: `${self}relationships/${name}/`, related: `${self}${name}/` },
    });
    return {
      type: 'list',
      id: list.id,
      attributes: pick({
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

function matches(list: List, conditions: readonly Condition[]): boolean {
  const { from } = rangeOf(conditions, 'created');
  const { from: changedFrom } = rangeOf(conditions, 'updated');
  return (
    list.created >= Math.max(from, changedFrom) &&
    conditions.every(({ field, value }) => {
      if (field !== 'id' && field !== 'name') return true;
      if (value.kind === 'texts') return value.texts.includes(list[field]);
      return value.kind === 'text' && value.text === list[field];
    })
  );
}

const isString = (value: unknown): value is string => typeof value === 'string';
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
