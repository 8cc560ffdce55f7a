import type { ProfileChange } from '../../../account/profiles/profile-changes.js';
import { isObject, type Json } from '../../http/body.js';
import { refuse } from '../../http/errors.js';
import { addressOf, isAddress } from './address.js';

type Patches = Pick<ProfileChange, 'properties' | 'addEmails' | 'removeEmails' | 'written'>;

/**
 * `patch_properties` and `patch_identifiers` of a profile's `meta`. The wording is ours.
 *
 * @param at pointer of the resource
 * @throws ApiError 400
 */
export function patchesOf(meta: unknown, at: string): Patches {
  const given = object({ meta }, 'meta', at);
  const pointer = `${at}/meta`;
  const properties = object(given, 'patch_properties', pointer);
  const identifiers = object(given, 'patch_identifiers', pointer);
  const written = emailsOf(identifiers, 'append', `${pointer}/patch_identifiers`);
  const removed = emailsOf(identifiers, 'unappend', `${pointer}/patch_identifiers`);
  return {
    properties: {
      append: object(properties, 'append', `${pointer}/patch_properties`),
      unappend: object(properties, 'unappend', `${pointer}/patch_properties`),
      unset: namesOf(properties['unset'], `${pointer}/patch_properties/unset`),
    },
    addEmails: distinct(written),
    removeEmails: distinct(removed),
    written,
  };
}

/** An empty object for null or absent. */
function object(within: Json, name: string, at: string): Json {
  const value = within[name] ?? {};
  if (isObject(value)) return value;
  throw refuse(`${at}/${name}`, 'Not a valid object.');
}

function namesOf(value: unknown, pointer: string): string[] {
  const names = listOf(value);
  if (names.every((name) => typeof name === 'string')) return names;
  throw refuse(pointer, 'Not a valid string or list of strings.');
}

const distinct = (emails: readonly string[]): string[] => [...new Set(emails.map(addressOf))];

/** Addresses as they were written. Documented: only `email` is supported. */
function emailsOf(identifiers: Json, operation: string, at: string): string[] {
  const patch = object(identifiers, operation, at);
  const unknown = Object.keys(patch).find((name) => name !== 'email');
  if (unknown !== undefined) {
    throw refuse(`${at}/${operation}/${unknown}`, `'${unknown}' is not supported; use 'email'.`);
  }
  const emails = listOf(patch['email']);
  if (!emails.every(isAddress)) throw refuse(`${at}/${operation}/email`, 'Invalid email address');
  return emails.map((email) => email.trim());
}

function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
