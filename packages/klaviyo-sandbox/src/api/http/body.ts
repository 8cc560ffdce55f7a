import type { SandboxAccount } from '../../account/account.js';
import type { List } from '../../store/lists.js';
import { ApiError, invalid, missing, refuse, type ErrorEntry } from './errors.js';

export { isEmail } from '../../store/identifiers/email-book.js';

export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * `data` of a request whose `data` is one resource.
 *
 * @param known names of its attributes; if absent, any name is accepted
 * @throws ApiError 400
 */
export function resourceOf(
  body: unknown,
  type: string,
  known?: ReadonlySet<string>,
): { attributes: Json; relationships: Json } {
  const data = isObject(body) ? body['data'] : undefined;
  if (!isObject(data)) throw new ApiError(400, [missing('/data', 'data', 'request-data')]);
  const given = data['type'];
  if (given === undefined) {
    throw new ApiError(400, [missing('/data/type', 'type', 'request-data')]);
  }
  if (given !== type) {
    throw refuse('/data/type', `${JSON.stringify(given)} is not a valid type; expected '${type}'.`);
  }
  const attributes = data['attributes'];
  if (!isObject(attributes)) {
    throw new ApiError(400, [missing('/data/attributes', 'attributes', type)]);
  }
  const unknown = known && unknownField(attributes, known, '/data/attributes', type);
  if (unknown !== undefined) throw new ApiError(400, [unknown]);
  const relationships = data['relationships'];
  return { attributes, relationships: isObject(relationships) ? relationships : {} };
}

/** Klaviyo refuses unknown attributes (recorded wording). */
export function unknownField(
  given: Json,
  known: ReadonlySet<string>,
  pointer: string,
  resource: string,
): ErrorEntry | undefined {
  const unknown = Object.keys(given).find((field) => !known.has(field));
  return unknown === undefined
    ? undefined
    : invalid(
        `${pointer}/${unknown}`,
        `'${unknown}' is not a valid field for the resource '${resource}'.`,
      );
}

const PROFILES = '/data/attributes/profiles';

/** Pointer to one profile in a bulk request. */
export const rowPointer = (row: number): string => `${PROFILES}/data/${row}`;

/**
 * `profiles.data` of a bulk request. The wording for too many or no profiles is ours: none is
 * recorded.
 */
export function rowsOf(attributes: Json, type: string, max: number): unknown[] {
  const profiles = attributes['profiles'];
  if (profiles === undefined) throw new ApiError(400, [missing(PROFILES, 'profiles', type)]);
  const rows = isObject(profiles) ? profiles['data'] : undefined;
  if (!Array.isArray(rows)) throw refuse(`${PROFILES}/data`, 'Not a valid list.');
  if (rows.length === 0) throw refuse(`${PROFILES}/data`, 'At least one profile is required.');
  if (rows.length > max) {
    throw refuse(
      `${PROFILES}/data`,
      `The maximum number of profiles per request is ${max}; got ${rows.length}.`,
    );
  }
  return rows;
}

/**
 * Id in `relationships.<name>.data`; null if there is no such relationship. The words on its form
 * are ours.
 *
 * @throws ApiError 400 for anything but a resource of that type with an id
 */
export function relatedId(relationships: Json, name: string): string | null {
  const relation = relationships[name] ?? undefined;
  const data = isObject(relation) ? (relation['data'] ?? undefined) : relation;
  if (data === undefined) return null;
  const pointer = `/data/relationships/${name}/data`;
  if (!isObject(data)) throw refuse(pointer, 'Not a valid resource.');
  if (data['type'] !== name) throw refuse(`${pointer}/type`, `The type must be '${name}'.`);
  if (typeof data['id'] !== 'string') throw refuse(`${pointer}/id`, 'Not a valid string.');
  return data['id'];
}

/** The list named in a request. @throws ApiError 400 for an unknown list */
export function listOf(account: SandboxAccount, relationships: Json): List | null {
  const id = relatedId(relationships, 'list');
  if (id === null) return null;
  const list = account.lists.get(id);
  if (list === undefined) {
    throw refuse('/data/relationships/list/data/id', `List not found with id ${id}`);
  }
  return list;
}

/** Limits the bad rows of an answer to the number in the switch. Klaviyo promises no order. */
export function refuseRows(account: SandboxAccount, entries: readonly ErrorEntry[]): void {
  if (entries.length === 0) return;
  const { errorsPerAnswer } = account.settings.switches;
  const shown =
    errorsPerAnswer === 'all' ? entries.toReversed() : entries.slice(0, errorsPerAnswer);
  throw new ApiError(400, shown);
}

/**
 * Checks the type of `data.attributes.<field>`, if it is given. The wording is ours. @throws
 * ApiError 400
 */
export function optional<T>(
  attributes: Json,
  field: string,
  is: (value: unknown) => value is T,
  what: string,
): T | null {
  const value = attributes[field] ?? null;
  if (value === null) return null;
  if (is(value)) return value;
  throw refuse(`/data/attributes/${field}`, `Not a valid ${what}.`);
}

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';

/** Trimmed text of an identifier; null for null, absent or empty. */
export function identifier(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const trimmed = value.trim();
  return trimmed === '' ? null : trimmed;
}
