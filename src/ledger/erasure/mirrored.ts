import { sql, type RawBuilder } from 'kysely';
import { foldEmail } from '../../contracts/addresses.js';
import type { LedgerDb } from '../database.js';
import { PROFILES_FEED, type MirroredProfile } from '../people/mirror.js';
import type { PersonToErase } from './people.js';

/**
 * Profiles `m` of the mirror that are those of person `p`. Somebody who is asked for by the id of a
 * profile that is gone has no other: who has their address now came later, and is there.
 */
const areTheirs: RawBuilder<boolean> = sql`
  (m.profile_id = p.profile_id
    or p.profile_id is null and (
      hashtext(m.email) = hashtext(p.email) and m.email = p.email
      or p.email is null and hashtext(m.phone_number) = hashtext(p.phone_number)
        and m.phone_number = p.phone_number))`;

/** What the account's mirror has of people. */
export async function mirroredProfiles(
  tx: LedgerDb,
  accountId: string,
  people: readonly PersonToErase[],
): Promise<MirroredProfile[]> {
  const { rows } = await sql<MirroredProfile>`
    select m.profile_id as id, m.email, m.phone_number as "phoneNumber", m.says_no as "saysNo", m.consent
    from unnest(
      ${people.map(({ email }) => foldEmail(email))}::text[],
      ${people.map(({ phoneNumber }) => phoneNumber)}::text[],
      ${people.map(({ profileId }) => profileId)}::text[]
    ) as p (email, phone_number, profile_id)
    cross join lateral (
      select * from consentry.profile m where m.account_id = ${accountId} and ${areTheirs} offset 0
    ) m`.execute(tx);
  return rows;
}

/**
 * Forgets them, also while a run works that has them: what is remembered of an address must never be
 * less than what a look-up would show, so the address has to be looked up again.
 */
export async function forgetMirrored(tx: LedgerDb, accountId: string): Promise<void> {
  await sql`
    delete from consentry.looked_up l using (
      select ctid as row from consentry.looked_up
      where account_id = ${accountId} and address in (
        select md5(address)::uuid
        from erasing p
        cross join lateral (
          select unnest(array[p.email, p.email_at_klaviyo, p.phone_number]) as address
          union all
          -- The spellings that their rows have been looked up by.
          select substr(i.raw_email, strpos(lower(i.raw_email), p.email), length(p.email))
          from erased_row f
          join consentry.intent i using (migration_number, row_number)
          where f.id = p.id and strpos(lower(i.raw_email), p.email) > 0
        ) spelled
        where address is not null)
      -- In the order of those who remember look-ups.
      order by address for update
    ) gone
    where l.ctid = gone.row`.execute(tx);
  const { rows } = await sql<{ there: boolean }>`
    with gone as (
      delete from consentry.profile m using (
        select found.ctid as row, p.profile_id is null as there
        from erasing p
        cross join lateral (
          select m.ctid, m.profile_id from consentry.profile m
          where m.account_id = ${accountId} and ${areTheirs} offset 0
        ) found
      ) theirs
      where m.ctid = theirs.row
      returning theirs.there
    )
    select coalesce(bool_or(there), false) as there from gone`.execute(tx);
  if (rows[0]?.there !== true) return;
  // Else an address that is missing from it would be nobody's, and not looked up.
  await sql`
    update consentry.account_feed set complete = false
    where account_id = ${accountId} and feed = ${PROFILES_FEED}`.execute(tx);
}
