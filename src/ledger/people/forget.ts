import { sql, type RawBuilder } from 'kysely';
import { foldEmail } from '../../contracts/addresses.js';
import type { LedgerDb } from '../database.js';
import { inTransaction } from '../transactions.js';
import { nowIncomplete } from './mirror.js';

/** A profile that Klaviyo no longer has under its id. */
export interface GoneProfile {
  readonly profileId: string;
  /** What it had when it was last written, as Klaviyo spelled it. */
  readonly email: string | null;
  readonly phoneNumber: string | null;
}

/**
 * Forgets profiles that are gone, whoever has their addresses now: another profile may own them, and may
 * have opted out, so that they have to be looked up again. The caller has looked up those that it names;
 * if the mirror has others of them, it is no longer complete.
 */
export async function forgetProfiles(
  db: LedgerDb,
  accountId: string,
  gone: readonly GoneProfile[],
): Promise<void> {
  if (gone.length === 0) return;
  const named = gone.flatMap(({ email, phoneNumber }) => [email, foldEmail(email), phoneNumber]);
  await inTransaction(db, async (tx) => {
    await beginForgetting(tx, accountId);
    const { rows } = await sql<{ email: string | null; phone_number: string | null }>`
      delete from consentry.profile m using (
        select found.ctid as row
        from unnest(${gone.map(({ profileId }) => profileId)}::text[]) as p (profile_id)
        cross join lateral (
          select m.ctid from consentry.profile m
          where m.account_id = ${accountId} and ${isProfile(sql`p.profile_id`)} offset 0
        ) found
      ) theirs
      where m.ctid = theirs.row
      returning m.email, m.phone_number`.execute(tx);
    const held = rows.flatMap(({ email, phone_number: phone }) => [email, phone]);
    // Whoever is asked for in another spelling is asked for in lower case too.
    await sql`
      delete from consentry.looked_up
      where account_id = ${accountId} and address in (
        select md5(address)::uuid from unnest(${[...named, ...held]}::text[]) as each (address)
        where address is not null)`.execute(tx);
    if (held.some((address) => !named.includes(address) && address !== null))
      await nowIncomplete(accountId, sql`true`).execute(tx);
  });
}

/**
 * Comes before people are deleted from the mirror, in a statement of its own: those who remember people
 * are waited for, so that what they wrote is found, and whoever was read before this is added no more.
 */
export async function beginForgetting(tx: LedgerDb, accountId: string): Promise<void> {
  const key = sql`hashtextextended(${`consentry.forgetting ${accountId}`}, 0)`;
  await sql`select pg_advisory_xact_lock(${key})`.execute(tx);
  await sql`
    insert into consentry.forgetting (account_id, forgot_at)
    values (${accountId}, clock_timestamp())
    on conflict (account_id) do update set forgot_at = excluded.forgot_at`.execute(tx);
}

/** Whether `m` of the mirror is of the profile with this id, also one that is kept beside others. */
export const isProfile = (id: RawBuilder<unknown>): RawBuilder<boolean> => sql`
  (m.profile_id = ${id}
    or strpos(m.profile_id, ' ') > 0 and split_part(m.profile_id, ' ', 1) = ${id})`;
