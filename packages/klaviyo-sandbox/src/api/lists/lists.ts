import type { SandboxAccount } from '../../account/account.js';
import type { OptIn } from '../../settings/options.js';
import type { List } from '../../store/lists.js';
import { isObject, resourceOf, type Json } from '../http/body.js';
import { ApiError, missing, notFound, refuse } from '../http/errors.js';
import { includedWith } from '../groups/flows-and-tags.js';
import type { Call, Reply } from '../operation.js';
import { pageOfFew } from '../small-collection.js';
import { unknownId } from '../unknown-id.js';
import { listWriter } from './list-resource.js';

const ATTRIBUTES = new Set(['name', 'opt_in_process']);

/** `get_lists`: at most 10 per page. */
export function getLists(call: Call): Reply {
  const { account, query, url } = call;
  const { found, links } = pageOfFew(call, account.lists.all(), (list) => ({
    id: list.id,
    name: list.name,
    created: list.created,
    updated: list.updated,
  }));
  const data = found.map(listWriter(query, url.origin));
  return { status: 200, body: { data, ...includedWith(found, query, url.origin), links } };
}

/** `get_list` */
export function getList({ account, id, query, url }: Call): Reply {
  const list = listToRead(account, id);
  const data = listWriter(query, url.origin)(list);
  const links = { self: url.href };
  return { status: 200, body: { data, ...includedWith([list], query, url.origin), links } };
}

/** `create_list`: without `opt_in_process` the account's default. */
export function createList({ account, body, query, url }: Call): Reply {
  const { attributes } = resourceOf(body, 'list', ATTRIBUTES);
  if (attributes['name'] === undefined) {
    throw new ApiError(400, [missing('/data/attributes/name', 'name', 'list')]);
  }
  const optIn = optInOf(attributes);
  const list = account.listing.create({
    name: nameOf(attributes['name']),
    ...(optIn === null ? {} : { opt_in_process: optIn }),
  });
  return { status: 201, body: bodyOf(list, query, url) };
}

/** `update_list`: name and opt-in process. A null changes nothing: not documented. */
export function updateList({ account, id, body, query, url }: Call): Reply {
  const list = listToChange(account, id);
  const { attributes } = resourceOf(body, 'list', ATTRIBUTES);
  checkId(body, id);
  const name = attributes['name'] ?? null;
  account.listing.change(list, {
    name: name === null ? null : nameOf(name),
    optIn: optInOf(attributes),
  });
  return { status: 200, body: bodyOf(list, query, url) };
}

/** `delete_list`: its members are removed, consent stays. */
export function deleteList({ account, id }: Call): Reply {
  account.listing.delete(listToChange(account, id).id);
  return { status: 204 };
}

/** @throws ApiError 404, or 400 by the switch */
export function listToRead(account: SandboxAccount, id: string): List {
  const list = account.lists.get(id);
  if (list === undefined) throw unknownId(account, 'list', id);
  return list;
}

/** @throws ApiError 404 */
export function listToChange(account: SandboxAccount, id: string): List {
  const list = account.lists.get(id);
  if (list === undefined) throw notFound('list', id);
  return list;
}

/** Recorded: `links.self` of the answer is the URL of the request. */
function bodyOf(list: List, query: Call['query'], url: URL): object {
  return { data: listWriter(query, url.origin)(list), links: { self: url.href } };
}

/** The wording on the id is ours. */
function checkId(body: unknown, id: string): void {
  const data = isObject(body) && isObject(body['data']) ? body['data'] : {};
  const given = data['id'];
  if (given === undefined) throw new ApiError(400, [missing('/data/id', 'id', 'request-data')]);
  if (given !== id) {
    throw refuse('/data/id', `${JSON.stringify(given)} is not the id in the path, '${id}'.`);
  }
}

function nameOf(name: unknown): string {
  if (typeof name === 'string' && name.trim() !== '') return name;
  throw refuse('/data/attributes/name', 'This field may not be blank.');
}

function optInOf(attributes: Json): OptIn | null {
  const optIn = attributes['opt_in_process'] ?? null;
  if (optIn === null || optIn === 'single_opt_in' || optIn === 'double_opt_in') return optIn;
  const pointer = '/data/attributes/opt_in_process';
  throw refuse(pointer, `${JSON.stringify(optIn)} is not a valid choice.`);
}
