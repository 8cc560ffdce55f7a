import type { Sandbox } from '../../src/index.js';
import { call, IMPORT, type Resource } from '../support.js';

/** A bulk import of these resources into these lists. */
export function importBody(data: readonly object[], lists: readonly string[]) {
  return {
    data: {
      type: 'profile-bulk-import-job',
      attributes: { profiles: { data } },
      relationships: { lists: { data: lists.map((id) => ({ type: 'list', id })) } },
    },
  };
}

/** Imports profiles with these attributes. */
export function importInto(
  sandbox: Sandbox,
  list: string,
  rows: readonly object[],
): Promise<Response> {
  const data = rows.map((attributes) => ({ type: 'profile', attributes }));
  return call(sandbox, 'POST', IMPORT, importBody(data, [list]));
}

/** The same; returns the job's id. */
export async function jobOf(sandbox: Sandbox, list: string, rows: readonly object[]) {
  const accepted = await importInto(sandbox, list, rows);
  const { data } = (await accepted.json()) as { data: Resource };
  return data.id;
}
