import { sql, type RawBuilder } from 'kysely';
import { CHANNELS, PHONE_CHANNELS } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';
import { PERSONAL_COLUMNS } from '../runs/intents.js';
import { PUTS_ON_LIST } from '../opt-outs/repairs.js';
import { isIdentifier } from '../parts.js';

/**
 * Whether run `r` of migration `m` works, or may: its people are needed. After its end, it follows
 * those whom it has subscribed, notes each look, and unsubscribes them again if they had opted out.
 */
const IS_WORKING = sql`
  (r.finished_at is null
    or m.repairs_noted_at > now() - interval '10 minutes'
    or r.finished_at > now() - interval '2 hours' and exists (
      select from consentry.submission s
      where s.migration_id = m.id and s.endpoint = any(${PUTS_ON_LIST}))
    or r.finished_at > now() - interval '7 days' and exists (
      select from consentry.repair p where p.migration_id = m.id and p.closed_at is null))`;

/** An address within a text, in lower case: a source may have a name or marks around it. */
const ADDRESS_IN = String.raw`[^[:space:]<>()\[\],;:"'']+@[^[:space:]<>()\[\],;:"'']+`;

/**
 * Finds the rows of everybody in `erasing`, as `erased_row (migration_number, row_number, id, whole)`, and
 * whom a run that works has. A row with another address is somebody else's: of it, the number alone.
 */
export async function findRows(tx: LedgerDb, accountId: string): Promise<void> {
  await sql`
    create temporary table erased_row on commit drop as
    with migrations as materialized (
      select m.number, ${IS_WORKING} as works
      from consentry.migration m join consentry.run r on r.id = m.id
      -- Runs of before accounts were bound are of the only one that there was.
      where r.account_id = ${accountId} or r.account_id is null
    ),
    -- Cells in which no address or no number could be read.
    unread as materialized (
      select i.migration_number, i.row_number, i.email, i.phone_number,
        case when i.email is null then substring(lower(i.raw_email) from ${ADDRESS_IN}) end as address,
        case when i.phone_number is null
          then ltrim(regexp_replace(i.raw_phone, '\\D', '', 'g'), '0') end as digits
      from migrations m
      cross join lateral (
        select * from consentry.intent i
        where i.migration_number = m.number and ((i.email is null and i.raw_email is not null)
          or (i.phone_number is null and i.raw_phone is not null))
        offset 0
      ) i
    ),
    found as (
      select m.number as migration_number, i.row_number, p.id, true as whole
      from erasing p cross join migrations m
      cross join lateral (
        select i.row_number from consentry.intent i
        where i.migration_number = m.number and ${isIdentifier('email', sql`p.email`)} offset 0
      ) i
      union all
      select m.number, i.row_number, p.id, i.email is null
      from erasing p cross join migrations m
      cross join lateral (
        select i.row_number, i.email from consentry.intent i
        where i.migration_number = m.number and ${isIdentifier('phone_number', sql`p.phone_number`)}
        offset 0
      ) i
      union all
      select u.migration_number, u.row_number, p.id, true
      from unread u join erasing p on p.email = u.address
      union all
      -- Seven digits at least, without a country or with one.
      select u.migration_number, u.row_number, p.id, u.email is null and u.address is null
      from unread u join erasing p on right(p.phone_number, 7) = right(u.digits, 7)
      where length(u.digits) >= 7 and p.phone_number like '%' || u.digits
    )
    select f.migration_number, f.row_number, f.id, bool_or(f.whole) as whole, bool_or(m.works) as works
    from found f join migrations m on m.number = f.migration_number
    group by f.migration_number, f.row_number, f.id`.execute(tx);
  await sql`create index on erased_row (id)`.execute(tx);
  await sql`analyze erased_row`.execute(tx);
  await sql`
    update erasing p set held = true
    where exists (select from erased_row f where f.id = p.id and f.works)
      or exists (
        -- Whoever is named in what a run was asked for.
        select from consentry.migration m join consentry.run r on r.id = m.id
        where r.account_id = ${accountId} and ${IS_WORKING}
          and (strpos(lower(m.settings::text), p.email) > 0
            or strpos(m.settings::text, p.phone_number) > 0))`.execute(tx);
}

/** What a row says of its person. The outcome and what Klaviyo held before and after stay. */
const PERSONAL: readonly RawBuilder<unknown>[] = [
  ...PERSONAL_COLUMNS,
  ...CHANNELS.map((channel) => `${channel}_consented_at`),
].map((column) => sql`${sql.ref(column)} = null`);

/** Erases what was found of those who are free. */
export async function eraseRows(tx: LedgerDb): Promise<void> {
  const theirs = sql`
    select f.migration_number, f.row_number, bool_or(f.whole) as whole
    from erased_row f join erasing p using (id)
    where not p.held group by f.migration_number, f.row_number`;
  await sql`
    delete from consentry.given_consent g using (${theirs}) f
    where g.migration_number = f.migration_number and g.row_number = f.row_number
      and (f.whole or g.channel = any(${[...PHONE_CHANNELS]}::consentry.channel[]))`.execute(tx);
  await sql`
    delete from consentry.asked q using (
      select q.ctid as row from (${theirs}) f
      cross join lateral (
        select q.ctid, q.channel, q.address from consentry.asked q
        where q.migration_number = f.migration_number and q.row_number = f.row_number
          and (f.whole or q.channel = any(${[...PHONE_CHANNELS]}::consentry.channel[]))
        offset 0
      ) q
      order by q.channel, q.address
    ) gone
    where q.ctid = gone.row`.execute(tx);
  // The line leads into the source, which may still be there.
  await sql`
    update consentry.intent i set erased = true, line = 0, ${sql.join(PERSONAL)}
    from (${theirs}) f
    where f.whole and i.migration_number = f.migration_number and i.row_number = f.row_number`.execute(
    tx,
  );
  await sql`
    update consentry.intent i set phone_number = null, raw_phone = null
    from (${theirs}) f
    where not f.whole and i.migration_number = f.migration_number
      and i.row_number = f.row_number`.execute(tx);
  // Of one person alone, a hash of the source can be guessed.
  await sql`
    with nobodys as (
      update consentry.migration m set source_sha256 = ''
      from (select distinct migration_number from (${theirs}) each) f
      where m.number = f.migration_number and not exists (
        select from consentry.intent i
        where i.migration_number = m.number and not i.erased offset 0)
      returning m.id
    )
    update consentry.run r set request_hash = null
    from nobodys where r.id = nobodys.id`.execute(tx);
}

/**
 * Keeps an erasure from the rows of ended runs until the transaction ends that copies them into a new
 * one, and waits for one that is under way: else the copy would have people whom nobody erases.
 *
 * @param which a condition about migrations `m` of runs `run`
 */
export const keepRows = (which: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  select m.number from consentry.migration m join consentry.run on run.id = m.id
  where ${which} order by m.number for share of m`;
