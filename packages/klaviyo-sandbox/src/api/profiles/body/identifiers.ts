import type { SandboxAccount } from '../../../account/account.js';
import type { ProfileChange } from '../../../account/profiles/profile-changes.js';
import { MAX_EMAILS } from '../../../store/identifiers/email-book.js';
import { ApiError, notFound, refuse } from '../../http/errors.js';
import { textsOf, type Condition } from '../../query/filter.js';
import { noIdentifier } from './profile-body.js';

/**
 * Profiles that match every condition on an identifier, each once; null if there is no such
 * condition. The operation decides which identifiers are allowed.
 */
export function namedProfiles(
  { profiles, settings }: Pick<SandboxAccount, 'profiles' | 'settings'>,
  conditions: readonly Condition[],
): number[] | null {
  const lookUps: Record<string, (text: string) => number | readonly number[]> = {
    id: (text) => profiles.withId(text) ?? [],
    profile_id: (text) => profiles.withId(text) ?? [],
    email: (text) => {
      const email = text.toLowerCase();
      const owners = profiles.allWithEmail(email);
      if (settings.switches.filterCase === 'insensitive') return owners;
      return owners.filter((index) => profiles.writtenEmail(index, email) === text);
    },
    phone_number: (text) => profiles.allWithPhone(text),
    external_id: (text) => profiles.withExternalId(text) ?? [],
    push_token: (text) => profiles.withPushToken(text) ?? [],
    _kx: (text) => profiles.withKx(text) ?? [],
  };
  const sets = conditions.flatMap(({ field, value }) => {
    const lookUp = lookUps[field];
    return lookUp === undefined ? [] : [new Set(textsOf(value).flatMap(lookUp))];
  });
  const [first, ...others] = sets;
  if (first === undefined) return null;
  return [...first].filter((index) => others.every((set) => set.has(index)));
}

/**
 * The profile in a request: the one with its id, or with one of its identifiers; undefined if there
 * is none yet.
 *
 * @param at pointer of the attributes
 * @throws ApiError 404 for an unknown id, 409 if identifiers belong to different profiles, 400
 * without any identifier
 */
export function profileMeant(
  account: SandboxAccount,
  id: string | null,
  change: ProfileChange,
  at: string,
): number | undefined {
  const { profiles, changes } = account;
  const named = id === null ? undefined : profiles.withId(id);
  if (id !== null && named === undefined) throw notFound('profile', id);
  if (named === undefined && !hasIdentifier(change)) throw noIdentifier(at);
  const owners = changes.owners(change);
  const meant = named ?? owners[0];
  if (meant === undefined) return undefined;
  checkOwners(account, meant, change, at);
  // A profile with the number but another address is somebody else.
  const { email, phone } = change;
  const isStranger =
    named === undefined &&
    typeof email === 'string' &&
    typeof phone === 'string' &&
    profiles.withEmail(email) === undefined &&
    profiles.allWithPhone(phone).includes(meant) &&
    profiles.email(meant) !== null;
  if (isStranger) throw duplicate(account, meant, at);
  return meant;
}

/** @throws ApiError 409 if one of the identifiers belongs to another profile; 400 for too many */
export function checkOwners(
  account: SandboxAccount,
  index: number | undefined,
  change: ProfileChange,
  at: string,
): void {
  const other = account.changes.owners(change, index).find((owner) => owner !== index);
  if (other !== undefined) throw duplicate(account, other, at);
  const { addEmails, removeEmails } = change;
  const present = index === undefined ? [] : account.profiles.secondaryEmails(index);
  const secondary = new Set([...present, ...addEmails]);
  for (const email of removeEmails) secondary.delete(email);
  if (secondary.size < MAX_EMAILS) return;
  // The number is documented, the wording is ours.
  const resource = at.slice(0, at.lastIndexOf('/'));
  throw refuse(
    `${resource}/meta/patch_identifiers/append/email`,
    `A profile can have at most ${MAX_EMAILS} email addresses.`,
  );
}

/** Recorded. */
function duplicate(account: SandboxAccount, index: number, at: string): ApiError {
  return new ApiError(409, [
    {
      code: 'duplicate_profile',
      title: 'Conflict.',
      detail: 'A profile already exists with one of these identifiers.',
      source: { pointer: at },
      meta: { duplicate_profile_id: account.profiles.id(index) },
    },
  ]);
}

export function hasIdentifier({ email, phone, kx, details }: ProfileChange): boolean {
  return [email, phone, kx, details['external_id']].some((value) => typeof value === 'string');
}
