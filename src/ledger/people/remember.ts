import { sql, type RawBuilder } from 'kysely';
import type { LedgerDb } from '../database.js';
import { nowIncomplete, type MirroredProfile } from './mirror.js';

/** What one read showed. */
export interface MirroredRead {
  readonly profiles: readonly MirroredProfile[];
  /** The addresses that it asked for: for these, Klaviyo has no other profiles. */
  readonly addresses: readonly string[];
  /**
   * When it was asked for, by the ledger's clock as an RFC 3339 datetime: it may have missed later changes.
   * A worker's own count of milliseconds stands still while its machine sleeps.
   */
  readonly readAt: string;
}

/**
 * Remembers what a read showed, unless a later one is remembered already. If a profile has another
 * address than before, the old one has to be looked up again.
 *
 * People may have been found gone since it was asked for, and forgotten: it may still show them. So it
 * adds nobody then. Who is new in it has to be looked up again, and the mirror is no longer complete.
 */
export async function rememberPeople(
  db: LedgerDb,
  accountId: string,
  { profiles, addresses, readAt }: MirroredRead,
): Promise<void> {
  // Always in the same order, so that two writers of the same people do not deadlock.
  const sorted = [...profiles].sort((a, b) => (a.id < b.id ? -1 : 1));
  if (sorted.length > 0) {
    const isLate = await addOrUpdate(db, accountId, sorted, readAt);
    if (isLate) await updateKnown(db, accountId, sorted, readAt);
  }
  const asked = [...new Set(addresses)];
  if (asked.length === 0) return;
  await sql`
    insert into consentry.looked_up as l (account_id, address, read_at)
    select ${accountId}, md5(address)::uuid as address, ${dated(readAt)}
    from unnest(${asked}::text[]) as asked (address), ${late(accountId, readAt)}
    where not is_late
    order by 2
    on conflict (account_id, address) do update set read_at = excluded.read_at
    where excluded.read_at > l.read_at`.execute(db);
}

/** @returns whether people were forgotten since: then it has written nothing */
async function addOrUpdate(
  db: LedgerDb,
  accountId: string,
  profiles: readonly MirroredProfile[],
  readAt: string,
): Promise<boolean> {
  const { rows } = await sql<{ is_late: boolean }>`
    with late as materialized (select is_late from ${late(accountId, readAt)}),
    read as materialized (select * from ${rowsOf(profiles)}),
    moved as materialized (${movedFrom(accountId)}),
    outdated as (
      delete from consentry.looked_up l
      using (${lookedUp(accountId, sql`select address from moved, late where not is_late`)}) o
      where l.account_id = ${accountId} and l.address = o.address
    ),
    written as (
      insert into consentry.profile as p
        (account_id, profile_id, email, phone_number, says_no, consent, read_at)
      select ${accountId}, profile_id, email, phone_number, says_no, consent, ${dated(readAt)}
      from read, late where not is_late order by n
      on conflict (account_id, profile_id) do update set
        email = excluded.email, phone_number = excluded.phone_number,
        says_no = excluded.says_no, consent = excluded.consent, read_at = excluded.read_at
      -- One of the future is of before the clock went back.
      where excluded.read_at >= p.read_at or p.read_at > now()
    )
    select is_late from late`.execute(db);
  return rows[0]?.is_late ?? false;
}

/** Writes of those alone who are remembered, and notes that the others were missed. */
async function updateKnown(
  db: LedgerDb,
  accountId: string,
  profiles: readonly MirroredProfile[],
  readAt: string,
): Promise<void> {
  await sql`
    with late as materialized (select is_late from ${late(accountId, readAt)}),
    read as materialized (select * from ${rowsOf(profiles)}),
    -- Whoever is being forgotten is not among them: they are locked.
    known as materialized (
      select p.profile_id from consentry.profile p
      where p.account_id = ${accountId} and p.profile_id in (select profile_id from read)
        and exists (select from late)
      order by p.profile_id for update
    ),
    missed as materialized (
      select email, phone_number from read where profile_id not in (select profile_id from known)
    ),
    moved as materialized (${movedFrom(accountId)}),
    outdated as (
      delete from consentry.looked_up l
      using (${lookedUp(
        accountId,
        sql`select address from moved
          union select md5(email)::uuid from missed where email is not null
          union select md5(phone_number)::uuid from missed where phone_number is not null`,
      )}) o
      where l.account_id = ${accountId} and l.address = o.address
    ),
    incomplete as (${nowIncomplete(accountId, sql`exists (select from missed)`)})
    update consentry.profile p set email = r.email, phone_number = r.phone_number,
      says_no = r.says_no, consent = r.consent, read_at = ${dated(readAt)}
    from read r join known using (profile_id)
    where p.account_id = ${accountId} and p.profile_id = r.profile_id
      and (${dated(readAt)} >= p.read_at or p.read_at > now())`.execute(db);
}

/** One of the future is of before the clock went back. */
const dated = (readAt: string): RawBuilder<unknown> => sql`least(${readAt}::timestamptz, now())`;

/** Whether people were forgotten since a reading was asked for. Until the transaction ends, none are. */
const late = (accountId: string, readAt: string): RawBuilder<unknown> => sql`
  consentry.is_of_before_forgetting(${accountId}, ${readAt}::timestamptz) as late (is_late)`;

const rowsOf = (profiles: readonly MirroredProfile[]): RawBuilder<unknown> => sql`
  unnest(
    ${profiles.map(({ id }) => id)}::text[], ${profiles.map(({ email }) => email)}::text[],
    ${profiles.map(({ phoneNumber }) => phoneNumber)}::text[],
    ${profiles.map(({ saysNo }) => saysNo)}::boolean[],
    ${profiles.map(({ consent }) => JSON.stringify(consent))}::jsonb[]
  ) with ordinality as r (profile_id, email, phone_number, says_no, consent, n)`;

/** The addresses that profiles of `read` had before. */
const movedFrom = (accountId: string): RawBuilder<unknown> => sql`
  select md5(address)::uuid as address
  from read r
  cross join lateral (
    select email, phone_number from consentry.profile p
    where p.account_id = ${accountId} and p.profile_id = r.profile_id offset 0
  ) p
  cross join lateral (values
    (p.email, p.email is distinct from r.email),
    (p.phone_number, p.phone_number is distinct from r.phone_number)
  ) as was (address, is_former)
  where is_former and address is not null`;

/** In the order of those who remember look-ups. */
const lookedUp = (accountId: string, addresses: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  select address from consentry.looked_up
  where account_id = ${accountId} and address in (${addresses})
  order by address for update`;
