import type { SandboxAccount } from '../../../account/account.js';
import type { ProfileChange } from '../../../account/profiles/profile-changes.js';
import { resourceOf } from '../../http/body.js';
import { ApiError, missing, notFound, refuse } from '../../http/errors.js';
import type { Call, Reply } from '../../operation.js';
import { checkOwners, hasIdentifier, profileMeant } from './identifiers.js';
import {
  checkSize,
  noIdentifier,
  PROFILE_ATTRIBUTES,
  profileChange,
  profileData,
} from './profile-body.js';
import { profileWriter } from '../resource/profile-resource.js';

const AT = '/data/attributes';
const IMPORTED = new Set([...PROFILE_ATTRIBUTES, '_kx']);

/** `create_profile`: without consent. */
export function createProfile(call: Call): Reply {
  const { account, body } = call;
  checkSize(body);
  const change = profileChange(resourceOf(body, 'profile').attributes, undefined, AT);
  if (!hasIdentifier(change)) throw noIdentifier(AT);
  checkOwners(account, undefined, change, AT);
  return replyWith(call, 201, account.changes.create(change));
}

/** `update_profile`: absent values stay, a null clears. */
export function updateProfile(call: Call): Reply {
  const { account, id, body } = call;
  checkSize(body);
  const index = account.profiles.withId(id);
  if (index === undefined) throw notFound('profile', id);
  const { attributes } = resourceOf(body, 'profile');
  const { id: given, meta } = profileData(body);
  if (given === null) throw new ApiError(400, [missing('/data/id', 'id', 'request-data')]);
  // The wording is ours.
  if (given !== id) throw refuse('/data/id', `'${given}' is not the id in the path, '${id}'.`);
  const change = profileChange(attributes, meta, AT);
  checkOwners(account, index, change, AT);
  if (leavesNone(account, index, change)) throw noIdentifier(AT);
  account.changes.update(index, change);
  return replyWith(call, 200, index);
}

/**
 * `create_or_update_profile`: finds by id or by any identifier. A secondary address also finds its
 * profile, and stays secondary.
 */
export function createOrUpdateProfile(call: Call): Reply {
  const { account, body } = call;
  checkSize(body);
  const { attributes } = resourceOf(body, 'profile');
  const { id, meta } = profileData(body);
  const change = profileChange(attributes, meta, AT, IMPORTED);
  const { index, isNew } = upsert(account, id, change, AT);
  return replyWith(call, isNew ? 201 : 200, index);
}

/**
 * @returns the profile, and others with the same identifier that were changed with it
 * @throws ApiError 400, 404 or 409, see `profileMeant`
 */
export function upsert(
  account: SandboxAccount,
  id: string | null,
  change: ProfileChange,
  at: string,
): { index: number; isNew: boolean; twins: readonly number[] } {
  const index = profileMeant(account, id, change, at);
  if (index === undefined) {
    return { index: account.changes.create(change), isNew: true, twins: [] };
  }
  const { email, ...others } = change;
  const isOwn = typeof email === 'string' && account.profiles.allWithEmail(email).includes(index);
  const update = isOwn ? others : change;
  if (leavesNone(account, index, update)) throw noIdentifier(at);
  account.changes.update(index, update);
  const named = { email: email ?? null, phone: change.phone ?? null };
  const who = id === null ? named : { ...named, profile: index };
  const twins = account.identities.twins(index, who).map((twin) => twin.index);
  for (const twin of twins) account.changes.update(twin, withoutIdentifiers(change));
  return { index, isNew: false, twins };
}

/** The changes apart from the identifiers. */
function withoutIdentifiers({ details, properties }: ProfileChange): ProfileChange {
  const { external_id: _, ...others } = details;
  return { details: others, properties, addEmails: [], removeEmails: [], written: [] };
}

/** Whether clearing removes the last identifier. */
function leavesNone(
  { profiles }: SandboxAccount,
  index: number,
  { email, phone, details, addEmails }: ProfileChange,
): boolean {
  const clears = [email, phone, details['external_id']].includes(null);
  const hasOther = profiles.secondaryEmails(index).length > 0 || addEmails.length > 0;
  if (!clears || hasOther || profiles.exchangeIds.of(index) !== null) return false;
  const externalId = profiles.details.get(index)?.['external_id'];
  const left = [
    email === undefined ? profiles.email(index) : email,
    phone === undefined ? profiles.phone(index) : phone,
    'external_id' in details ? details['external_id'] : (externalId ?? null),
  ];
  return left.every((identifier) => identifier === null);
}

function replyWith({ account, query, url }: Call, status: 200 | 201, index: number): Reply {
  const data = profileWriter(account, query, url.origin)(index);
  return { status, body: { data, links: { self: url.href } }, profiles: 1 };
}
