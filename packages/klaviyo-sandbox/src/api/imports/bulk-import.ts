import type { SandboxAccount } from '../../account/account.js';
import type { ImportRow } from '../../account/profiles/importing.js';
import { isObject, refuseRows, resourceOf, rowsOf } from '../http/body.js';
import { ApiError, refuse, type ErrorEntry } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';
import { importRow } from './import-rows.js';
import { jobWriter, TYPE } from './job-resource.js';

const MAX_PROFILES = 10_000;
const ATTRIBUTES = new Set(['profiles']);

/** `bulk_import_profiles`: profiles and list memberships, never consent. */
export function bulkImport({ account, body, query, url }: Call): Reply {
  const { attributes, relationships } = resourceOf(body, TYPE, ATTRIBUTES);
  const given = rowsOf(attributes, TYPE, MAX_PROFILES);
  const listIds = listIdsOf(account, relationships['lists']);
  const job = account.importing.accept(rowsIn(account, given), listIds);
  // Recorded: `links.self` of the answer is the URL of the request.
  const data = jobWriter(query, url.origin)(job);
  return { status: 202, body: { data, links: { self: url.href } }, profiles: given.length };
}

/** @throws ApiError 400 with what is wrong with the rows */
function rowsIn(account: SandboxAccount, given: readonly unknown[]): ImportRow[] {
  const wrong: ErrorEntry[] = [];
  const rows = given.flatMap((value, row) => {
    try {
      return importRow(account, value, row);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      wrong.push(...error.entries);
      return [];
    }
  });
  refuseRows(account, wrong);
  return rows;
}

/** The wording for an unknown list was seen live; the wording for the form is ours. */
function listIdsOf(account: SandboxAccount, relation: unknown): string[] {
  const data = isObject(relation) ? (relation['data'] ?? []) : [];
  if (!Array.isArray(data)) throw refuse('/data/relationships/lists/data', 'Not a valid list.');
  const ids = data.map((list: unknown) => {
    const { type, id } = isObject(list) ? list : {};
    if (type === 'list' && typeof id === 'string') return id;
    throw refuse('/data/relationships/lists/data', "Each list needs the type 'list' and an id.");
  });
  const unknown = ids.find((id) => account.lists.get(id) === undefined);
  if (unknown !== undefined) throw refuse('/data', `List ID ${unknown} does not exist.`);
  return [...new Set(ids)];
}
