import { phoneVerdict } from '../../phone.js';
import { listOf, refuseRows, resourceOf, rowsOf } from '../body.js';
import { consentRow, isError, type ConsentRow } from './consent-rows.js';
import { invalid, type ErrorEntry } from '../errors.js';
import type { Call, Reply } from '../operation.js';

const MAX_PROFILES = 100;
const TYPE = 'profile-subscription-bulk-delete-job';

/**
 * `bulk_unsubscribe_profiles`: applies at once. Who is on the named list is taken off it; who is
 * not, and everybody where no list is named, is unsubscribed from everything that was asked for.
 */
export function unsubscribe({ account, body }: Call): Reply {
  const { attributes, relationships } = resourceOf(body, TYPE);
  const given = rowsOf(attributes, TYPE, MAX_PROFILES);
  const list = listOf(account, relationships);
  const read = given.map((value, i) => checked(consentRow(value, i, 'UNSUBSCRIBED')));
  refuseRows(account, read.filter(isError));
  for (const row of read) {
    if (isError(row)) continue;
    const identifiers = { email: row.email, phone: row.phone };
    const index = account.identities.resolve(identifiers, account.clock.wall());
    if (list?.has(index) === true) {
      account.book.unsubscribeFromList(index, list);
      continue;
    }
    for (const { key } of row.asked) account.book.unsubscribe(index, key, 'API', false);
  }
  return { status: 202, profiles: given.length };
}

function checked(row: ConsentRow | ErrorEntry): ConsentRow | ErrorEntry {
  if (isError(row) || row.phone === null || phoneVerdict(row.phone).kind !== 'malformed')
    return row;
  return invalid(
    `${row.pointer}/attributes/phone_number`,
    'Invalid phone number format (Example of a valid format: +12345678901)',
  );
}
