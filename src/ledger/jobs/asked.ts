import { sql, type RawBuilder } from 'kysely';
import type { ConsentChannel } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';
import { BLOCK_ROWS } from '../blocks.js';
import { identifierOfPart } from '../opt-outs/known.js';
import { isSent, isSettled, joinMembership, numberOf, partsFor } from '../parts.js';
import { integers } from '../row-numbers.js';
import { addSettlements, type Settlement } from './settlements.js';

type Part = Pick<Settlement, 'rowNumber' | 'channel'>;

/** How a run asks people for a click. */
export interface Asking {
  /** Null for the account's default process. */
  readonly listId: string | null;
  /** Channels whose consent Klaviyo asks a click for. */
  readonly channels: readonly ConsentChannel[];
  /** Nobody is asked again sooner than so many days after any run of the account; 0: at any time. */
  readonly againAfterDays: number;
}

/** Longer than anybody can wait before they ask again: 365 days. */
const FORGOTTEN_AFTER = sql`interval '366 days'`;

const keyOf = ({ listId }: Pick<Asking, 'listId'>): string => listId ?? '';

const addressOfPart = sql`md5(${identifierOfPart})::uuid`;

/** Whether question `q` was answered with a click, or was never put because Klaviyo refused its row. */
const isAnswered = sql`exists (
  select from consentry.settlement s where s.migration_number = q.migration_number
    and s.row_number = q.row_number and s.channel = q.channel
    and s.outcome in ('confirmed', 'rejected'))`;

const isRecent = ({ againAfterDays }: Asking): RawBuilder<boolean> =>
  sql`q.asked_at > now() - make_interval(days => ${againAfterDays})`;

/** A query of everybody of an account who was asked for a list and has not clicked: channel, address. */
export const unansweredBy = (accountId: string, listId: string | null): RawBuilder<unknown> => sql`
  select q.channel, q.address from consentry.asked q
  where q.account_id = ${accountId} and q.list_id = ${keyOf({ listId })} and not ${isAnswered}`;

/**
 * Settles the unsent subscribes whose people another run has asked for the same consent, and who have
 * not clicked since, as still pending. A block of rows at a time, each found by its key: how many were
 * asked is not known to the planner.
 *
 * @returns how many parts were settled
 */
export async function settleAskedAlready(
  db: LedgerDb,
  migrationId: string,
  asking: Asking,
): Promise<number> {
  const { rows } = await sql<{ last: number | null }>`
    select max(row_number) as last from consentry.intent
    where migration_number = ${numberOf(migrationId)}`.execute(db);
  const last = rows[0]?.last ?? 0;
  const isAskedByOther = sql<boolean>`q.migration_number <> i.migration_number
    and ${isRecent(asking)} and not ${isAnswered}`;
  let settled = 0;
  for (let after = 0; after < last; after += BLOCK_ROWS) {
    const block = sql<boolean>`i.row_number > ${after} and i.row_number <= ${after + BLOCK_ROWS}`;
    settled += await settleAsked(db, migrationId, asking, { rows: block, holds: isAskedByOther });
  }
  return settled;
}

/** Settles these parts in the same way, whatever became of the question since. */
export async function settleAskedParts(
  db: LedgerDb,
  migrationId: string,
  asking: Asking,
  parts: readonly Part[],
): Promise<number> {
  const numbers = integers(parts.map(({ rowNumber }) => rowNumber));
  return settleAsked(db, migrationId, asking, {
    rows: sql`i.row_number = any(${numbers})`,
    holds: sql`(i.row_number, p.channel) in (
      select row_number, channel::consentry.channel
      from unnest(${numbers}, ${parts.map(({ channel }) => channel)}::text[])
        as asked (row_number, channel))`,
  });
}

/** @param which of the rows `i`, and a condition about part `p` and its question `q` */
async function settleAsked(
  db: LedgerDb,
  migrationId: string,
  asking: Asking,
  which: { readonly rows: RawBuilder<boolean>; readonly holds: RawBuilder<boolean> },
): Promise<number> {
  return addSettlements(
    db,
    migrationId,
    (people) => ({
      parts: sql`
        select i.row_number, p.channel, 'pending_double_opt_in'::consentry.outcome as outcome,
          'asked_already' as reason, 'guard' as settled_by, null::text as consent,
          null::timestamptz as at, null::integer as job_number, q.asked_at
        from (
          select * from consentry.intent i
          where i.migration_number = ${people.number} and ${which.rows} offset 0
        ) i
        ${joinMembership(people)}
        cross join lateral ${partsFor(people, asking.channels)}
        join consentry.run on run.id = ${migrationId}
        cross join lateral (
          select * from consentry.asked q
          where q.account_id = run.account_id and q.list_id = ${keyOf(asking)}
            and q.channel = p.channel and q.address = ${addressOfPart} offset 0
        ) q
        where p.operation = 'subscribe' and not ${isSettled(sql`p.channel`)} and ${which.holds}`,
      askedAt: sql`p.asked_at`,
    }),
    sql`not ${isSent(sql`p.channel`)}`,
  );
}

/** Whether anybody of the account was asked for this at all: mostly nobody was. */
export async function isAnybodyAsked(
  db: LedgerDb,
  accountId: string,
  asking: Asking,
): Promise<boolean> {
  const { rows } = await sql<{ is: boolean }>`
    select exists (select from consentry.asked
      where account_id = ${accountId} and list_id = ${keyOf(asking)}) as is`.execute(db);
  return rows[0]?.is === true;
}

/**
 * Records that a call is about to ask the people of these parts. Of two runs that ask the same person in
 * the same moment, one waits for the other here and finds that they are asked. What the run itself asked
 * is asked again: it does that only if an answer was lost.
 *
 * @param tx the transaction that records the call
 * @returns the parts whose people another run has asked: the call must leave them out
 */
export async function claimAsking(
  tx: LedgerDb,
  migrationId: string,
  asking: Asking,
  parts: readonly Part[],
): Promise<Part[]> {
  const asks = parts.filter(({ channel }) => asking.channels.some((each) => each === channel));
  if (asks.length === 0) return [];
  const { rows } = await sql<Part>`
    with given as materialized (
      select i.migration_number, p.row_number, p.channel, ${addressOfPart} as address
      from unnest(
        ${integers(asks.map(({ rowNumber }) => rowNumber))},
        ${asks.map(({ channel }) => channel)}::text[]
      ) as asked (row_number, name)
      cross join lateral (select asked.row_number, asked.name::consentry.channel as channel) p
      cross join lateral (
        select * from consentry.intent i
        where i.migration_number = ${numberOf(migrationId)} and i.row_number = p.row_number offset 0
      ) i
      where ${identifierOfPart} is not null
    ), claimed as (
      insert into consentry.asked as q
        (account_id, list_id, channel, address, asked_at, migration_number, row_number)
      select distinct on (channel, address) run.account_id, ${keyOf(asking)}, channel, address, now(),
        migration_number, row_number
      from given join consentry.run on run.id = ${migrationId}
      -- In one order, so that two runs do not wait for each other.
      order by channel, address, row_number
      on conflict (account_id, list_id, channel, address) do update set
        asked_at = excluded.asked_at, migration_number = excluded.migration_number,
        row_number = excluded.row_number
      where ${asking.againAfterDays} = 0 or q.migration_number = excluded.migration_number
        or not ${isRecent(asking)} or ${isAnswered}
      returning channel, address
    )
    select row_number as "rowNumber", channel from given
    where not exists (select from claimed c
      where c.channel = given.channel and c.address = given.address)`.execute(tx);
  return rows;
}

/**
 * Forgets that people were asked by a call that Klaviyo has not carried out. For the transaction that
 * takes its parts back; a call before it whose answer was lost may have asked them all the same.
 */
export async function releaseAsking(tx: LedgerDb, submissionId: string): Promise<void> {
  await sql`
    delete from consentry.asked q using (
      select asked.account_id, asked.list_id, asked.channel, asked.address
      from consentry.carried c
      cross join lateral unnest(c.rows) as range (numbers)
      join consentry.asked on asked.migration_number = c.migration_number
        and asked.row_number >= lower(range.numbers) and asked.row_number < upper(range.numbers)
        and asked.channel = c.channel
      where c.submission_id = ${submissionId} and not exists (
        select from consentry.carried other
        where other.migration_number = c.migration_number and other.block = c.block
          and other.channel = c.channel and other.rows @> asked.row_number
          and other.submission_id <> c.submission_id)
      -- In the order of those who claim.
      order by asked.channel, asked.address
      for update of asked
    ) gone
    where q.account_id = gone.account_id and q.list_id = gone.list_id
      and q.channel = gone.channel and q.address = gone.address`.execute(tx);
}

/** Forgets who was asked so long ago that it keeps nobody from asking again. */
export async function forgetAsked(db: LedgerDb, accountId: string): Promise<void> {
  await sql`
    delete from consentry.asked where ctid = any(array(
      select ctid from consentry.asked
      where account_id = ${accountId} and asked_at < now() - ${FORGOTTEN_AFTER}
      for update skip locked))`.execute(db);
}
