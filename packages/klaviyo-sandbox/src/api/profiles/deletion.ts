import type { DeletionTarget } from '../../account/profiles/deleting.js';
import { isObject, resourceOf, unknownField } from '../http/body.js';
import { ApiError, missing, refuse, single } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';
import { addressOf } from './body/address.js';
import { idOf } from './body/profile-body.js';

const TYPE = 'data-privacy-deletion-job';
const PROFILE = '/data/attributes/profile/data';
const KNOWN = new Set(['email', 'phone_number']);

/**
 * `request_profile_deletion`. Recorded: an unknown profile is a 404, with two spaces in its text.
 */
export function requestDeletion({ account, body }: Call): Reply {
  const target = targetOf(body);
  if (!account.deleting.accept(target)) {
    const { field, value } = target;
    const detail = `No profile with ${field} "${value}" found.  The profile may have already been deleted.`;
    throw single(404, 'not_found', 'Not found.', detail, { pointer: '/data/' });
  }
  return { status: 202, profiles: 1 };
}

/** Documented: exactly one identifier. The wording is ours. @throws ApiError 400 */
function targetOf(body: unknown): DeletionTarget {
  const { attributes: job } = resourceOf(body, TYPE, new Set(['profile']));
  const profile = isObject(job['profile']) ? job['profile']['data'] : undefined;
  if (!isObject(profile)) throw new ApiError(400, [missing(PROFILE, 'profile', TYPE)]);
  if (profile['type'] !== 'profile') throw refuse(`${PROFILE}/type`, "The type must be 'profile'.");
  const attributes = profile['attributes'];
  const at = `${PROFILE}/attributes`;
  if (!isObject(attributes)) throw new ApiError(400, [missing(at, 'attributes', 'profile')]);
  const unknown = unknownField(attributes, KNOWN, at, 'profile');
  if (unknown !== undefined) throw new ApiError(400, [unknown]);
  const email = idOf(attributes['email'], `${at}/email`);
  const given: Record<DeletionTarget['field'], string | null> = {
    id: idOf(profile['id'], `${PROFILE}/id`),
    email: email === null ? null : addressOf(email),
    phone_number: idOf(attributes['phone_number'], `${at}/phone_number`),
  };
  const targets = (['id', 'email', 'phone_number'] as const).flatMap((field) => {
    const value = given[field];
    return value === null ? [] : [{ field, value }];
  });
  const [target] = targets;
  if (target !== undefined && targets.length === 1) return target;
  throw refuse(
    PROFILE,
    `Exactly one of the identifiers email, phone_number and id is required; got ${targets.length}.`,
  );
}
