import { sql } from 'kysely';
import { isPhoneChannel, type ConsentChannel } from '../../contracts/channels.js';
import { enumChannel, isIdentifierOf } from '../parts.js';
import {
  addressAndNumber,
  columnFor,
  keepFormerRows,
  storeUnsubscribes,
  subscribesOf,
  type InStore,
  type SwitchedOff,
} from './program-people.js';

/**
 * Stores a row for everybody who ended as subscribed in an earlier run of the program, and whom its
 * source does not have any more.
 *
 * @returns the number of rows
 */
export async function storeFormer(tx: InStore, off: SwitchedOff): Promise<number> {
  await keepFormerRows(tx, off);
  const former = off.channels.map(
    (channel) => sql`
      select distinct ${enumChannel(channel)} as channel, ${addressAndNumber(channel)}, i.country,
        null::text as raw_email
      from ${subscribesOf(off, channel)}
      where s.outcome in ('confirmed', 'already_consented')
        and not exists (select from consentry.intent o
          where o.migration_number = ${tx.number}
            and ${columnFor('o', channel, 'operation')} is not null
            and (${isSamePerson(channel)})
          -- By key for each person: the statistics do not know the rows of this run yet.
          offset 0)`,
  );
  return storeUnsubscribes(tx, off.channels, sql.join(former, sql` union all `));
}

/** Whether rows `o` and `i` are about the same person for a channel. */
function isSamePerson(channel: ConsentChannel) {
  const byEmail = isIdentifierOf('o', 'email', sql`i.email`);
  const byPhone = isIdentifierOf('o', 'phone_number', sql`i.phone_number`);
  if (channel === 'push')
    return sql`${byEmail} or (i.email is null and o.email is null and ${byPhone})`;
  return isPhoneChannel(channel) ? byPhone : byEmail;
}
