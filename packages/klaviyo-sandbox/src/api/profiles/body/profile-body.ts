import type { ProfileChange } from '../../../account/profiles/profile-changes.js';
import { phoneVerdict } from '../../../phone.js';
import { isObject, unknownField, type Json } from '../../http/body.js';
import { ApiError, invalid, refuse, single, type ErrorEntry } from '../../http/errors.js';
import { addressOf, isAddress } from './address.js';
import { DETAIL_FIELDS, LOCATION_FIELDS } from './profile-fields.js';
import { patchesOf } from './profile-meta.js';

const MAX_BYTES = 100_000;

/** Allowed `attributes` when a profile is written. */
export const PROFILE_ATTRIBUTES: ReadonlySet<string> = new Set([
  'email',
  'phone_number',
  ...DETAIL_FIELDS,
]);

/**
 * Documented: 100 KB for one profile. Neither status nor wording is recorded. @throws ApiError 413
 */
export function checkSize(body: unknown): void {
  if (Buffer.byteLength(JSON.stringify(body)) <= MAX_BYTES) return;
  const detail = `The payload for one profile must not be larger than ${MAX_BYTES / 1_000} KB.`;
  throw single(413, 'payload_too_large', 'Payload too large.', detail);
}

/**
 * Reads the changes to a profile from a request.
 *
 * @param at pointer of the attributes, without a trailing slash @throws ApiError 400 with
 * everything that is wrong; the wording is recorded for unknown fields, for e-mail and for phone
 */
export function profileChange(
  attributes: Json,
  meta: unknown,
  at: string,
  known = PROFILE_ATTRIBUTES,
): ProfileChange {
  const unknown = unknownField(attributes, known, at, 'profile');
  if (unknown !== undefined) throw new ApiError(400, [unknown]);
  const wrong = Object.entries(attributes).flatMap(
    ([field, value]) => wrongValue(field, value, `${at}/${field}`) ?? [],
  );
  if (wrong.length > 0) throw new ApiError(400, wrong);
  const { email, phone_number: phone, _kx: kx } = attributes;
  const details = Object.fromEntries(
    DETAIL_FIELDS.flatMap((field) => (field in attributes ? [[field, attributes[field]]] : [])),
  );
  const { written, ...patches } = patchesOf(meta, at.slice(0, at.lastIndexOf('/')));
  return {
    ...(email === undefined ? {} : { email: typeof email === 'string' ? addressOf(email) : null }),
    ...(phone === undefined ? {} : { phone: typeof phone === 'string' ? phone.trim() : null }),
    ...(typeof kx === 'string' && kx !== '' ? { kx } : {}),
    details,
    ...patches,
    written: typeof email === 'string' ? [email.trim(), ...written] : written,
  };
}

/** The error in an attribute; null is valid for all of them: it clears. */
function wrongValue(field: string, value: unknown, pointer: string): ErrorEntry | undefined {
  if (value === null) return undefined;
  if (field === 'email') {
    return isAddress(value) ? undefined : invalid(pointer, 'Invalid email address');
  }
  if (field === 'phone_number') return wrongPhone(value, pointer);
  if (field === 'properties') {
    return isObject(value) ? undefined : invalid(pointer, 'Not a valid object.');
  }
  if (field === 'location') return wrongLocation(value, pointer);
  return typeof value === 'string' ? undefined : invalid(pointer, 'Not a valid string.');
}

function wrongPhone(value: unknown, pointer: string): ErrorEntry | undefined {
  const verdict = typeof value === 'string' ? phoneVerdict(value.trim()).kind : 'malformed';
  if (verdict === 'valid') return undefined;
  return invalid(
    pointer,
    verdict === 'malformed'
      ? 'Invalid phone number format (Example of a valid format: +12345678901)'
      : 'The phone number provided either does not exist or is ineligible to receive SMS',
  );
}

const LOCATION: ReadonlySet<string> = new Set(LOCATION_FIELDS);
const COORDINATES: ReadonlySet<string> = new Set(['latitude', 'longitude']);

function wrongLocation(value: unknown, pointer: string): ErrorEntry | undefined {
  if (!isObject(value)) return invalid(pointer, 'Not a valid object.');
  const unknown = unknownField(value, LOCATION, pointer, 'profile');
  if (unknown !== undefined) return unknown;
  const wrong = Object.entries(value).find(([field, part]) => {
    const isNumber = COORDINATES.has(field) && typeof part === 'number';
    return part !== null && typeof part !== 'string' && !isNumber;
  });
  return wrong && invalid(`${pointer}/${wrong[0]}`, 'Not a valid string.');
}

/** `data` of a request with profile attributes, with its id and meta. */
export function profileData(body: unknown): { id: string | null; meta: unknown } {
  const data = isObject(body) && isObject(body['data']) ? body['data'] : {};
  return { id: idOf(data['id'], '/data/id'), meta: data['meta'] };
}

/** Null for null or absent. The wording is ours. @throws ApiError 400 for anything but a string */
export function idOf(value: unknown, pointer: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return value;
  throw refuse(pointer, 'Not a valid string.');
}

/** Recorded for an update without identifiers. */
export const noIdentifier = (at: string): ApiError =>
  refuse(at, 'One or more identifiers is required');
