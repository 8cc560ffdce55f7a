import type { SandboxAccount } from '../../account/account.js';
import { isReached } from '../../account/profiles/identity.js';
import { phoneVerdict } from '../../phone.js';
import type { ConsentKey } from '../../store/channel.js';
import type { List } from '../../store/lists.js';
import { listOf, refuseRows, resourceOf, rowsOf } from '../http/body.js';
import { consentRow, isError, type ConsentRow } from './consent-rows.js';
import { invalid, type ErrorEntry } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';

const MAX_PROFILES = 100;
const TYPE = 'profile-subscription-bulk-delete-job';
const KNOWN = new Set(['profiles']);

/**
 * `bulk_unsubscribe_profiles`: applies at once. People on the named list are removed from it.
 * People who are not on it, and everybody if no list is named, are unsubscribed from every channel
 * in the request.
 */
export function unsubscribe({ account, body, forms }: Call): Reply {
  const { attributes, relationships } = resourceOf(body, TYPE, KNOWN);
  const given = rowsOf(attributes, TYPE, MAX_PROFILES);
  const list = listOf(account, relationships);
  const read = given.map((value, i) => checked(consentRow(value, i, 'UNSUBSCRIBED', forms)));
  refuseRows(account, read.filter(isError));
  for (const row of read) {
    if (!isError(row) && !account.losses.takesNext()) apply(account, row, list);
  }
  return { status: 202, profiles: given.length };
}

function apply(account: SandboxAccount, row: ConsentRow, list: List | null): void {
  const { profiles, identities, book, clock } = account;
  const owners = row.tokens.flatMap(({ token }) => profiles.withPushToken(token) ?? []);
  for (const { token } of row.tokens) profiles.pushTokens.remove(token);
  const { email, phone, written } = row;
  const identifiers = { email, phone, written: written ?? undefined };
  const named = email !== null || phone !== null;
  // Tokens alone name the profiles that have them: an unknown token creates no profile.
  const people = named ? [identities.resolve(identifiers, clock.wall())] : new Set(owners);
  const keys = row.asked.map(({ key }) => key);
  const leave = (index: number, asked: readonly ConsentKey[]) => {
    if (list?.has(index) === true) book.unsubscribeFromList(index, list);
    else for (const key of asked) book.unsubscribe(index, key, 'API', false);
  };
  for (const index of people) {
    leave(index, keys);
    for (const twin of identities.twins(index, identifiers)) {
      leave(
        twin.index,
        keys.filter((key) => isReached(twin, key)),
      );
    }
  }
}

function checked(row: ConsentRow | ErrorEntry): ConsentRow | ErrorEntry {
  if (isError(row) || row.phone === null || phoneVerdict(row.phone).kind !== 'malformed')
    return row;
  return invalid(
    `${row.pointer}/attributes/phone_number`,
    'Invalid phone number format (Example of a valid format: +12345678901)',
  );
}
