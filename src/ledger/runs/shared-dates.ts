import { sql } from 'kysely';
import { CONSENT_CHANNELS } from '../../contracts/channels.js';
import type { SharedDate } from '../../contracts/migration.js';
import type { LedgerDb } from '../database.js';
import { consentedAtColumn, enumChannel, peopleOf } from '../parts.js';

/** From how many rows on it is no coincidence that people consented in the same second. */
const MANY_ROWS = 1_000;

/**
 * The date of consent that the most rows of a source share to the second, by channel, if many do. A date
 * that the source gives without a time is not one: it was read as noon, or midnight, somewhere, which is a
 * quarter of an hour in UTC. Nor is a date that the operator attested.
 */
export async function findSharedDates(db: LedgerDb, migrationId: string): Promise<SharedDate[]> {
  const people = await peopleOf(db, migrationId);
  const channels = CONSENT_CHANNELS.filter((channel) => people.channels.includes(channel));
  const found: SharedDate[] = [];
  for (const channel of channels) {
    const at = consentedAtColumn(channel);
    const { rows } = await sql<SharedDate>`
      select ${enumChannel(channel)} as channel, count(*)::integer as parts,
        to_char(${at} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at
      from consentry.intent i
      where i.migration_number = ${people.number}
        and ${sql.raw(`i.${channel}_operation`)} = 'subscribe' and ${at} is not null
        and extract(epoch from ${at})::bigint % 900 <> 0
        and ${sql.raw(`i.${channel}_note`)} is distinct from 'date_attested'
      group by ${at} having count(*) >= ${MANY_ROWS}
      order by count(*) desc, ${at} limit 1`.execute(db);
    found.push(...rows);
  }
  return found;
}
