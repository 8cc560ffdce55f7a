import type { SandboxAccount } from '../../account/account.js';
import type { ImportRow, RowFailure } from '../../account/profiles/importing.js';
import type { ProfileChange } from '../../account/profiles/profile-changes.js';
import { phoneVerdict } from '../../phone.js';
import { isObject, rowPointer, type Json } from '../http/body.js';
import { ApiError, invalid, missing, refuse } from '../http/errors.js';
import { hasIdentifier } from '../profiles/body/identifiers.js';
import {
  idOf,
  noIdentifier,
  PROFILE_ATTRIBUTES,
  profileChange,
} from '../profiles/body/profile-body.js';
import { upsert } from '../profiles/body/profile-writes.js';

const MAX_ROW_BYTES = 100_000;
const KNOWN: ReadonlySet<string> = new Set([...PROFILE_ATTRIBUTES, '_kx']);

/**
 * Reads one row of a bulk import: a profile as accepted by the call for a single one.
 *
 * @throws ApiError 400 with what is wrong
 */
export function importRow(account: SandboxAccount, value: unknown, row: number): ImportRow {
  const pointer = rowPointer(row);
  const at = `${pointer}/attributes`;
  if (!isObject(value) || value['type'] !== 'profile') {
    throw refuse(`${pointer}/type`, "Each profile needs the type 'profile'.");
  }
  const attributes = value['attributes'];
  if (!isObject(attributes)) throw new ApiError(400, [missing(at, 'attributes', 'profile')]);
  checkSize(value, pointer);
  const id = idOf(value['id'], `${pointer}/id`);
  const change = profileChange(storedOf(attributes), value['meta'], at, KNOWN);
  if (id === null && !hasIdentifier(change)) throw noIdentifier(at);
  return {
    row,
    word: [id, change.email, change.phone, change.kx, change.details['external_id']].join(' '),
    isNew: id === null && account.changes.owners(change).length === 0,
    original: id === null ? attributes : { id, ...attributes },
    carryOut: () => carryOut(account, id, change, at),
  };
}

/**
 * The attributes that an import uses. A null is ignored: the guide says that an import cannot clear
 * a field. An invalid phone is silently not stored (seen live).
 */
function storedOf(attributes: Json): Json {
  const isStored = ([field, value]: [string, unknown]) =>
    value !== null && (field !== 'phone_number' || isPhone(value));
  return Object.fromEntries(Object.entries(attributes).filter(isStored));
}

const isPhone = (value: unknown): boolean =>
  typeof value !== 'string' || phoneVerdict(value.trim()).kind === 'valid';

/**
 * It is documented that Klaviyo reports rows as import errors, but not which ones. The sandbox
 * reports rows that the call for a single profile refuses because of other data in the account (an
 * unknown id, two owners of the identifiers), and filtered domains. The wording is ours.
 */
function carryOut(
  account: SandboxAccount,
  id: string | null,
  change: ProfileChange,
  at: string,
): readonly number[] | RowFailure {
  if (isFiltered(account, change)) return invalid(`${at}/email`, 'Invalid email address');
  try {
    const { index, twins } = upsert(account, id, change, at);
    return [index, ...twins];
  } catch (error) {
    const entry = error instanceof ApiError ? error.entries[0] : undefined;
    if (entry === undefined) throw error;
    return { ...entry, source: { pointer: at } };
  }
}

function isFiltered({ settings }: SandboxAccount, { email }: ProfileChange): boolean {
  return (
    typeof email === 'string' &&
    settings.filteredDomains.has(email.slice(email.lastIndexOf('@') + 1))
  );
}

/** The number is documented, the wording is ours. */
function checkSize(value: Json, pointer: string): void {
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes <= MAX_ROW_BYTES) return;
  throw refuse(pointer, `A profile must not be larger than 100 KB; this one has ${bytes} bytes.`);
}
