import { sql, type RawBuilder } from 'kysely';
import { foldEmail } from '../../contracts/addresses.js';
import type { LedgerDb } from '../database.js';
import { counts, type OptOut } from '../opt-outs/known.js';
import { isOfMember } from '../parts.js';
import type { MirroredProfile } from '../people/mirror.js';
import { inTransaction } from '../transactions.js';
import { forgetMirrored, mirroredProfiles } from './mirrored.js';
import { markOf } from './marks.js';
import type { Erasing, PersonToErase } from './people.js';
import { eraseRows, findRows } from './rows.js';
import { eraseTexts } from './texts.js';

/**
 * Erases people from the ledger of an account, in one transaction. Of their opt-outs, those that count
 * become marks, which the guard asks from then on. Of their rows in migrations, the outcomes stay,
 * so that every report adds up. Whoever is in a run that is still working keeps their rows and their
 * opt-outs until it has ended: `finishErasures` erases them then. May be repeated.
 */
export async function erasePeople(
  db: LedgerDb,
  accountId: string,
  { people, optOuts, optOutsOf }: Erasing,
): Promise<void> {
  if (people.length === 0) return;
  await inTransaction(db, async (tx) => {
    await lockForErasing(tx, accountId);
    await request(tx, accountId, people);
    const mirrored = await mirroredProfiles(tx, accountId, people);
    await request(tx, accountId, alsoKnownAs(people, mirrored));
    const shown = mirrored.flatMap(optOutsOf);
    await noteAgain(tx, accountId, [...optOuts, ...shown]);
    await carryOut(tx, accountId);
  });
}

/**
 * Erases the people who had to wait for the end of a run, as far as none has them any more.
 *
 * @returns how many still wait
 */
export async function finishErasures(db: LedgerDb, accountId: string): Promise<number> {
  const { rows } = await sql<{ any: boolean }>`
    select exists (select from consentry.erasure where account_id = ${accountId}) as any`.execute(
    db,
  );
  if (rows[0]?.any !== true) return 0;
  return inTransaction(db, async (tx) => {
    await lockForErasing(tx, accountId);
    return carryOut(tx, accountId);
  });
}

/** Profiles that are gone, by addresses and numbers that only the mirror may know. */
function alsoKnownAs(
  people: readonly PersonToErase[],
  mirrored: readonly MirroredProfile[],
): PersonToErase[] {
  const gone = new Set(people.map(({ profileId }) => profileId));
  return mirrored
    .filter(({ id }) => gone.has(id))
    .map(({ id, email, phoneNumber }) => ({ email, phoneNumber, profileId: id }));
}

/** One erasure of an account at a time. */
async function lockForErasing(tx: LedgerDb, accountId: string): Promise<void> {
  const key = sql`hashtextextended(${`erasing ${accountId}`}, 0)`;
  await sql`select pg_advisory_xact_lock(${key})`.execute(tx);
}

async function request(
  tx: LedgerDb,
  accountId: string,
  people: readonly PersonToErase[],
): Promise<void> {
  await sql`
    insert into consentry.erasure (account_id, email, email_at_klaviyo, phone_number, profile_id, read_at)
    select distinct ${accountId}, email, at_klaviyo, phone_number, profile_id, (
      -- One of the future is of before the clock went back.
      select least(m.read_at, now()) from consentry.profile m
      where m.account_id = ${accountId} and m.profile_id = p.profile_id)
    from unnest(
      ${people.map(({ email }) => foldEmail(email))}::text[],
      ${people.map(({ email }) => email)}::text[],
      ${people.map(({ phoneNumber }) => phoneNumber)}::text[],
      ${people.map(({ profileId }) => profileId)}::text[]
    ) as p (email, at_klaviyo, phone_number, profile_id)
    where num_nonnulls(email, phone_number, profile_id) > 0
      and not exists (
        select from consentry.erasure e where e.account_id = ${accountId}
          and (e.email, e.email_at_klaviyo, e.phone_number, e.profile_id) is not distinct from
            (p.email, p.at_klaviyo, p.phone_number, p.profile_id))`.execute(tx);
}

/**
 * Stores what was known of their opt-outs as shown now, although Klaviyo shows nothing of them any more:
 * so a run that is working repairs what it sent to them.
 */
async function noteAgain(
  tx: LedgerDb,
  accountId: string,
  optOuts: readonly OptOut[],
): Promise<void> {
  if (optOuts.length === 0) return;
  await sql`
    insert into consentry.opt_out as o
      (account_id, identifier, channel, list_id, opted_out_at, source, shown_at)
    select ${accountId}, identifier, channel::consentry.channel, list_id, max(at::timestamptz), source,
      now()
    from unnest(
      ${optOuts.map(({ identifier }) => identifier)}::text[],
      ${optOuts.map(({ channel }) => channel)}::text[],
      ${optOuts.map(({ listId }) => listId ?? '')}::text[],
      ${optOuts.map(({ at }) => at)}::text[],
      ${optOuts.map(({ source }) => source)}::text[]
    ) as n (identifier, channel, list_id, at, source)
    group by identifier, channel, list_id, source
    -- In the order of everybody who notes opt-outs.
    order by identifier collate "C", channel::text collate "C", list_id collate "C", source collate "C"
    on conflict (account_id, identifier, channel, list_id, source, submission_id) do update set
      opted_out_at = greatest(o.opted_out_at, excluded.opted_out_at), shown_at = excluded.shown_at,
      noted_at = clock_timestamp()`.execute(tx);
}

/** Those who are free: no run that works has them. */
const FREE = sql`not p.held`;

/** @returns how many have to wait */
async function carryOut(tx: LedgerDb, accountId: string): Promise<number> {
  await lockEndedRuns(tx, accountId);
  await sql`
    create temporary table erasing on commit drop as
    select e.id, e.email, e.email_at_klaviyo, e.phone_number, e.profile_id, e.read_at, false as held
    from consentry.erasure e where e.account_id = ${accountId}`.execute(tx);
  await sql`create index on erasing (email)`.execute(tx);
  await sql`create index on erasing (phone_number)`.execute(tx);
  await sql`analyze erasing`.execute(tx);
  await markOptOuts(tx, accountId);
  await findRows(tx, accountId);
  await forgetMirrored(tx, accountId);
  await eraseRows(tx);
  await eraseTexts(tx, accountId);
  await eraseAccountsOwn(tx, accountId);
  await sql`
    delete from consentry.erasure e using erasing p where e.id = p.id and ${FREE}`.execute(tx);
  const { rows } = await sql<{ held: number }>`
    select count(*)::integer as held from erasing p where p.held`.execute(tx);
  // The next call may be in the same transaction.
  await sql`drop table erasing, erased_row`.execute(tx);
  return rows[0]?.held ?? 0;
}

/** Whoever copies the rows of an ended run into a new one is waited for, and waits: see `keepRows`. */
async function lockEndedRuns(tx: LedgerDb, accountId: string): Promise<void> {
  // A comparison that is under way is waited for: its run may have them.
  await sql`
    select number from consentry.segment where account_id = ${accountId} order by number for update`.execute(
    tx,
  );
  await sql`
    select m.number from consentry.migration m join consentry.run on run.id = m.id
    where run.account_id = ${accountId} and run.finished_at is not null
    order by m.number for no key update of m`.execute(tx);
}

/** Of everybody, also of whoever has to wait: a run must not take their silence at Klaviyo for consent. */
async function markOptOuts(tx: LedgerDb, accountId: string): Promise<void> {
  await sql`
    insert into consentry.erased_opt_out as e
      (account_id, mark, channel, list_id, opted_out_at, source)
    select ${accountId}, ${markOf(sql`${accountId}`, sql`o.identifier`)}, o.channel, o.list_id,
      max(o.opted_out_at), (array_agg(o.source order by o.opted_out_at desc))[1]
    from erasing p
    cross join lateral (
      select * from consentry.opt_out o
      where o.account_id = ${accountId} and o.identifier in (p.email, p.phone_number) offset 0
    ) o
    where ${counts(sql`p.read_at`)}
    group by o.identifier, o.channel, o.list_id
    order by 2
    on conflict (account_id, mark, channel, list_id) do update set
      opted_out_at = excluded.opted_out_at, source = excluded.source
    where excluded.opted_out_at > e.opted_out_at`.execute(tx);
}

/** Also under other addresses: a key is one person. */
async function eraseFromSegments(
  tx: LedgerDb,
  accountId: string,
  identifiers: RawBuilder<unknown>,
): Promise<void> {
  await sql`
    create temporary table erased_key on commit drop as
    select g.number, k.key from consentry.segment g
    cross join (select distinct each from (${identifiers}) as given (each) where each is not null) theirs
    cross join lateral (
      select m.key from consentry.segment_member m
      where m.segment_number = g.number and ${isOfMember(sql`theirs.each`)}
      union
      select p.key from consentry.segment_part p
      where p.segment_number = g.number and hashtext(p.identifier) = hashtext(theirs.each)
        and p.identifier = theirs.each
      offset 0
    ) k
    where g.account_id = ${accountId}`.execute(tx);
  await sql`
    delete from consentry.segment_part p using erased_key e
    where p.segment_number = e.number and p.key = e.key`.execute(tx);
  await sql`
    delete from consentry.segment_member m using erased_key e
    where m.segment_number = e.number and m.key = e.key`.execute(tx);
  await sql`drop table erased_key`.execute(tx);
}

/** What the account knows of them, whatever the run. */
async function eraseAccountsOwn(tx: LedgerDb, accountId: string): Promise<void> {
  const identifiers = sql`select unnest(array[p.email, p.phone_number]) from erasing p where ${FREE}`;
  await eraseFromSegments(tx, accountId, identifiers);
  await sql`
    delete from consentry.opt_out o using (
      select o.ctid as row from (select distinct each from (${identifiers}) as given (each)) theirs
      -- By key for each person: the table is that of everybody.
      cross join lateral (
        select o.ctid, o.* from consentry.opt_out o
        where o.account_id = ${accountId} and o.identifier = theirs.each offset 0
      ) o
      order by identifier collate "C", channel::text collate "C", list_id collate "C", source collate "C"
    ) gone
    where o.ctid = gone.row`.execute(tx);
  await sql`
    delete from consentry.asked q using (
      select ctid as row from consentry.asked
      where account_id = ${accountId} and address in (${hashesOf(identifiers)})
      order by channel, address for update
    ) gone
    where q.ctid = gone.row`.execute(tx);
  await sql`
    delete from consentry.person_request r
    where exists (select from erasing p where ${FREE} and (
      r.identifier->>'value' in (p.email, p.phone_number) or ${isIn(sql`r.result::text`)}))`.execute(
    tx,
  );
  await sql`
    update consentry.sync_run r set found = null
    where r.found is not null and exists (
      select from erasing p where ${FREE} and ${isIn(sql`r.found::text`)})`.execute(tx);
}

const hashesOf = (identifiers: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  select md5(each)::uuid from (${identifiers}) as given (each) where each is not null`;

/** Whether a text has an identifier of person `p`. */
const isIn = (text: RawBuilder<unknown>): RawBuilder<boolean> => sql`
  (strpos(lower(${text}), p.email) > 0 or strpos(${text}, p.phone_number) > 0
    or strpos(${text}, p.profile_id) > 0)`;
