import { sql, type RawBuilder } from 'kysely';
import { foldEmail } from '../../contracts/addresses.js';
import type { LedgerDb } from '../database.js';
import { beginForgetting, isProfile } from '../people/forget.js';
import { nowIncomplete, type MirroredProfile } from '../people/mirror.js';
import type { PersonToErase } from './people.js';

/**
 * Profiles `m` of the mirror that are those of person `p`. Somebody who is asked for by the id of a
 * profile that is gone has no other: who has their address now came later, and is there.
 */
const areTheirs: RawBuilder<boolean> = sql`
  (${isProfile(sql`p.profile_id`)}
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
  await beginForgetting(tx, accountId);
  const { rows: forgotten } = await sql<{
    there: boolean;
    apart: boolean;
    email: string | null;
    phone_number: string | null;
  }>`
    delete from consentry.profile m using (
      select found.ctid as row, p.profile_id is null as there
      from erasing p
      cross join lateral (
        select m.ctid from consentry.profile m
        where m.account_id = ${accountId} and ${areTheirs} offset 0
      ) found
    ) theirs
    where m.ctid = theirs.row
    returning theirs.there, strpos(m.profile_id, ' ') > 0 as apart, m.email, m.phone_number`.execute(
    tx,
  );
  const addresses = forgotten.flatMap(({ email, phone_number: phone }) => [email, phone]);
  await sql`
    delete from consentry.looked_up l using (
      select ctid as row from consentry.looked_up
      where account_id = ${accountId} and address in (
        select md5(address)::uuid
        from (
          select unnest(array[p.email, p.email_at_klaviyo, p.phone_number]) from erasing p
          union all
          select unnest(${addresses}::text[])
          union all
          -- The spellings that their rows have been looked up by.
          select substr(i.raw_email, strpos(lower(i.raw_email), p.email), length(p.email))
          from erasing p
          join erased_row f using (id)
          join consentry.intent i using (migration_number, row_number)
          where strpos(lower(i.raw_email), p.email) > 0
        ) as spelled (address)
        where address is not null)
      -- In the order of those who remember look-ups.
      order by address for update
    ) gone
    where l.ctid = gone.row`.execute(tx);
  // Else an address that is missing from it would be nobody's, and not looked up.
  if (forgotten.some(({ there, apart }) => there || apart))
    await nowIncomplete(accountId, sql`true`).execute(tx);
}
