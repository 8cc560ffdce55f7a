import { sql, type RawBuilder } from 'kysely';
import type { Channel } from '../../contracts/channels.js';
import type { SettledBy, Outcome, Reason } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';
import { countingOptOuts, identifierOfPart } from '../opt-outs/known.js';
import {
  askedForWhichever,
  carriedWhere,
  isAddedMembership,
  isBeingRepaired,
  isForJob,
  isSent,
  isSettled,
  isAmongSettled,
  joinMembership,
  numberOf,
  partsFor,
  partsOfRow,
  peopleOf,
  type People,
  joinRowsOfJob,
} from '../parts.js';
import { integers } from '../row-numbers.js';
import { inTransaction, lockForSettling } from '../transactions.js';

/** What was read of a part while it was open. It stays true as long as the part is open. */
export interface KnownPart {
  /** The job that sent it. */
  readonly jobNumber: number;
  /** How many parts its row has. */
  readonly partsOfRow: number;
}

/** A part and how it ended. */
export interface Settlement {
  readonly rowNumber: number;
  readonly channel: Channel;
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly settledBy: SettledBy;
  /** If all parts of a call have it, they need not be looked up. */
  readonly known?: KnownPart;
  /** The consent that was read, if the outcome follows from a profile. */
  readonly read?: { readonly consent: string; readonly at: string | null };
  /** An opt-out that was asked for has been read back: Klaviyo now shows it. */
  readonly isOptOut?: boolean;
}

/**
 * Settles parts in one statement. A part that already has an outcome keeps it, so the first proof
 * counts and a retried activity changes nothing. Parts under repair are settled only by the repair.
 *
 * @returns how many parts were settled by this call
 */
export async function settleParts(
  db: LedgerDb,
  migrationId: string,
  settlements: readonly Settlement[],
): Promise<number> {
  if (settlements.length === 0) return 0;
  return inTransaction(db, async (tx) => {
    const settled = await addSettlements(
      tx,
      migrationId,
      valuesOf(settlements),
      sql`not ${isBeingRepaired(migrationId)}`,
    );
    await noteShown(
      tx,
      migrationId,
      settlements.filter(({ isOptOut }) => isOptOut === true),
    );
    return settled;
  });
}

/** Settles parts that the person's consent forbids or already fulfils, unless sent meanwhile. */
export async function settleUnsentParts(
  db: LedgerDb,
  migrationId: string,
  settlements: readonly Settlement[],
): Promise<number> {
  if (settlements.length === 0) return 0;
  return addSettlements(db, migrationId, valuesOf(settlements), sql`not ${isSent(sql`p.channel`)}`);
}

/**
 * Settles parts whose people opted out after the parts were sent. Also replaces an outcome such as
 * `confirmed`: it was true only for a moment, against the person's opt-out.
 */
export async function settleRepaired(
  db: LedgerDb,
  migrationId: string,
  settlements: readonly Settlement[],
): Promise<number> {
  return replaceSettlements(
    db,
    migrationId,
    settlements,
    sql`(old.outcome is null or old.outcome in ('confirmed', 'pending_double_opt_in', 'unconfirmed')
      or (old.reason in ('opted_out_during_run', 'unsubscribed_again') and p.reason is distinct from
        old.reason and p.reason in ('unsubscribed_again', 'opt_out_not_read_back')))`,
  );
}

/** Settles parts that wait for a click by what has been read since. */
export async function settlePending(
  db: LedgerDb,
  migrationId: string,
  settlements: readonly Settlement[],
): Promise<number> {
  return replaceSettlements(
    db,
    migrationId,
    settlements,
    sql`old.outcome = 'pending_double_opt_in'`,
  );
}

/** Settles every open part that no call carried or may have carried, as when a run is cancelled. */
export async function settleUnsent(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number | null,
  reason: Reason,
): Promise<number> {
  const end = sql`'cancelled'::consentry.outcome as outcome, ${reason}::text as reason,
    'cancellation' as settled_by, null::text as consent, null::timestamptz as at,
    null::integer as job_number`;
  const ofJob = (people: People) => sql`
    select i.row_number, p.channel, ${end}
    from consentry.job j
    ${joinRowsOfJob(people.number)}
    ${joinMembership(people)}
    cross join lateral ${partsFor(people)}
    where j.migration_id = ${migrationId} and j.job_number = ${jobNumber} and ${isForJob}
      and not ${isSettled(sql`p.channel`)}`;
  const ofMigration = (people: People) => sql`
    select i.row_number, p.channel, ${end} from consentry.intent i
    ${joinMembership(people)}
    cross join lateral ${partsFor(people)}
    where i.migration_number = ${people.number} and not ${isAmongSettled(sql`p.channel`)}`;
  return addSettlements(
    db,
    migrationId,
    (people) => ({ parts: (jobNumber === null ? ofMigration : ofJob)(people) }),
    sql`not ${isSent(sql`p.channel`)}`,
  );
}

/** Parts, and how they end. */
interface Given {
  /** Its columns: row_number, channel, outcome, reason, settled_by, consent, at, job_number. */
  readonly parts: RawBuilder<unknown>;
  /** Their rows, if they are few. */
  readonly rowNumbers?: readonly number[];
  /** They come with what is known of them: `job_number` and `parts_of_row`. */
  readonly areKnown?: boolean;
  /** When their people were asked before, as an expression about part `p`; absent if they were not. */
  readonly askedAt?: RawBuilder<unknown>;
}

const NOT_ASKED = sql`null::timestamptz`;

/** Most of a thousand settlements say the same: what they say is sent once. */
function valuesOf(settlements: readonly Settlement[]): Given {
  const said = new Map<string, { readonly number: number; readonly by: Settlement }>();
  const numbers = settlements.map((by) => {
    const { channel, outcome, reason, settledBy, read, known } = by;
    const key = [
      channel,
      outcome,
      reason,
      settledBy,
      read?.consent,
      read?.at,
      known?.jobNumber,
      known?.partsOfRow,
    ].join(' ');
    const number = said.get(key)?.number ?? said.size;
    if (number === said.size) said.set(key, { number, by });
    return number;
  });
  const each = [...said.values()].map(({ by }) => by);
  const rowNumbers = settlements.map((s) => s.rowNumber);
  const parts = sql`
    select given.row_number, s.channel::consentry.channel, s.outcome::consentry.outcome, s.reason,
      s.settled_by, s.consent, s.at::timestamptz, s.job_number, s.parts_of_row
    from unnest(
      ${integers(rowNumbers)}, ${integers(numbers)}
    ) as given (row_number, number)
    join unnest(
      ${integers(each.map((_, number) => number))},
      ${each.map((s) => s.channel)}::text[], ${each.map((s) => s.outcome)}::text[],
      ${each.map((s) => s.reason)}::text[], ${each.map((s) => s.settledBy)}::text[],
      ${each.map((s) => s.read?.consent ?? null)}::text[],
      ${each.map((s) => s.read?.at ?? null)}::text[],
      ${each.map((s) => s.known?.jobNumber ?? null)}::integer[],
      ${each.map((s) => s.known?.partsOfRow ?? null)}::integer[]
    ) as s (number, channel, outcome, reason, settled_by, consent, at, job_number, parts_of_row)
      using (number)`;
  return { parts, rowNumbers, areKnown: settlements.every(({ known }) => known !== undefined) };
}

/**
 * The parts of a query that the migration has, as `p`. The lateral join finds each row by key: the
 * planner's statistics are as old as the last ANALYZE, and a plain join could read every person for
 * each thousand settlements.
 */
const toldOf = (
  people: People,
  given: Given,
  condition: RawBuilder<boolean>,
  also: { readonly columns: RawBuilder<unknown>; readonly join: RawBuilder<unknown> } = {
    columns: sql``,
    join: sql``,
  },
): RawBuilder<unknown> => sql`
  select distinct on (p.row_number, p.channel) p.row_number, p.channel, p.outcome, p.reason,
    p.settled_by, p.consent, p.at, asked.operation, asked.parts,
    ${given.askedAt ?? NOT_ASKED} as asked_at,
    case when p.job_number is not null then p.job_number
      when p.channel = 'list' and ${isAddedMembership} then a.job_number end as job_number
    ${also.columns}
  from (${given.parts}) p
  ${
    given.rowNumbers === undefined
      ? sql`cross join lateral (
          select * from consentry.intent i
          where i.migration_number = ${people.number} and i.row_number = p.row_number offset 0
        ) i`
      : sql`join (
          select * from consentry.intent i
          where i.migration_number = ${people.number}
            and i.row_number = any(${integers(given.rowNumbers)}) offset 0
        ) i on i.row_number = p.row_number`
  }
  ${joinMembership(people)}
  cross join lateral (
    select ${askedForWhichever(people, sql`p.channel`)} as operation, ${partsOfRow(people)} as parts
    offset 0
  ) asked
  ${also.join}
  where asked.operation is not null and ${condition}`;

/** The same, without a look at their rows if all is known of them. */
const openOf = (
  people: People,
  given: Given,
  condition: RawBuilder<boolean>,
): RawBuilder<unknown> =>
  given.areKnown === true
    ? sql`
      select distinct on (p.row_number, p.channel) p.row_number, p.channel, p.outcome, p.reason,
        p.settled_by, p.consent, p.at, null::consentry.operation as operation,
        p.parts_of_row as parts, ${NOT_ASKED} as asked_at, p.job_number
      from (${given.parts}) p
      cross join lateral (select ${people.number}::integer as migration_number, p.row_number) i
      where ${condition}`
    : toldOf(people, given, condition);

const newSettlements = (migrationId: string, { number }: People): RawBuilder<unknown> => sql`
  insert into consentry.settlement (migration_number, row_number, channel, outcome, in_job, reason,
    settled_by, settled_at, consent_after, consent_after_at, asked_at)
  select ${number}::integer, row_number, channel, outcome,
    exists (select from consentry.job where migration_id = ${migrationId}), reason, settled_by,
    now(), consent, at, asked_at
  from told`;

/** Adds to the counters of the jobs that the parts of `new` belong to. */
const countInJobs = (migrationId: string, { number }: People): RawBuilder<unknown> => sql`
  update consentry.job_channel c set settled = c.settled + n.parts
  from (
    select coalesce(new.job_number, j.job_number) as job_number, new.channel,
      count(*)::integer as parts
    from new
    left join lateral (
      select j.job_number from consentry.job j
      where new.job_number is null and j.migration_id = ${migrationId}
        and j.operation = new.operation and j.first_row <= new.row_number and j.row_numbers @> new.row_number
      order by j.first_row desc limit 1
    ) j on true
    group by 1, 2
  ) n
  where c.migration_number = ${number} and c.job_number = n.job_number and c.channel = n.channel`;

/** Adds `delta (outcome, rows)` to the counters of rows. */
export const addRowCounts = (
  migrationId: string,
  delta: RawBuilder<unknown>,
): RawBuilder<unknown> => sql`
  insert into consentry.outcome_count as c (migration_id, outcome, rows)
  select ${migrationId}, outcome, sum(rows) from (${delta}) delta (outcome, rows)
  group by outcome having sum(rows) <> 0 order by outcome
  on conflict (migration_id, outcome) do update set rows = c.rows + excluded.rows`;

/**
 * Settles the open parts of a query, and counts them.
 *
 * @param condition about part `p` of intent `i`, besides being open
 * @returns how many parts were settled
 */
export async function addSettlements(
  db: LedgerDb,
  migrationId: string,
  given: Given | ((people: People) => Given),
  condition: RawBuilder<boolean> = sql`true`,
): Promise<number> {
  return inTransaction(db, async (tx) => {
    // The channels may grow until the lock is held, but known parts need only the number.
    const isKnown = typeof given !== 'function' && given.areKnown === true;
    const early = isKnown ? await peopleOf(tx, migrationId) : null;
    await lockForSettling(tx, migrationId);
    const people = early ?? (await peopleOf(tx, migrationId));
    const { rows } = await sql<{ settled: number }>`
      with told as materialized (
        ${openOf(people, typeof given === 'function' ? given(people) : given, condition)}
      ), settled as (
        ${newSettlements(migrationId, people)}
        on conflict (migration_number, row_number, channel) do nothing
        returning row_number, channel
      ), new as materialized (
        select told.* from told join settled using (row_number, channel)
      ), in_jobs as (
        ${countInJobs(migrationId, people)}
      ), in_rows as (
        ${addRowCounts(
          migrationId,
          sql`
            select outcome, count(*) from new where parts = 1 group by outcome
            union all
            -- A row of several parts ends with the last of them.
            select least(before.outcome, now.outcome), 1
            from (
              select row_number, parts, count(*) as settled, min(outcome) as outcome
              from new where parts > 1 group by row_number, parts
            ) now
            cross join lateral (
              select count(*) as settled, min(s.outcome) as outcome from consentry.settlement s
              where s.migration_number = ${people.number} and s.row_number = now.row_number
            ) before
            where before.settled + now.settled = now.parts`,
        )}
      )
      select count(*)::integer as settled from new`.execute(tx);
    return rows[0]?.settled ?? 0;
  });
}

/**
 * Settles parts again that have an outcome, and counts their rows anew.
 *
 * @param condition about the given part `p` and its settlement `old`
 */
async function replaceSettlements(
  db: LedgerDb,
  migrationId: string,
  settlements: readonly Settlement[],
  condition: RawBuilder<boolean>,
): Promise<number> {
  if (settlements.length === 0) return 0;
  return inTransaction(db, async (tx) => {
    await lockForSettling(tx, migrationId);
    const people = await peopleOf(tx, migrationId);
    const old = {
      columns: sql`, old.outcome as old_outcome`,
      join: sql`left join lateral (
        select * from consentry.settlement s where s.migration_number = i.migration_number
          and s.row_number = p.row_number and s.channel = p.channel offset 0
      ) old on true`,
    };
    const { rows } = await sql<{ settled: number }>`
      with told as materialized (
        ${toldOf(people, valuesOf(settlements), condition, old)}
      ), settled as (
        ${newSettlements(migrationId, people)}
        on conflict (migration_number, row_number, channel) do update set
          outcome = excluded.outcome, reason = excluded.reason, settled_by = excluded.settled_by,
          settled_at = excluded.settled_at, consent_after = excluded.consent_after,
          consent_after_at = excluded.consent_after_at
      ), new as materialized (
        select * from told where old_outcome is null
      ), in_jobs as (
        ${countInJobs(migrationId, people)}
      ), person as (
        select distinct row_number, parts from told
      ), before as materialized (
        select person.row_number, person.parts, s.channel, s.outcome
        from person join consentry.settlement s
          on s.migration_number = ${people.number} and s.row_number = person.row_number
      ), in_rows as (
        ${addRowCounts(
          migrationId,
          sql`
            select min(outcome), -1 from before
            group by row_number, parts having count(*) = parts
            union all
            select min(outcome), 1 from (
              select row_number, parts, outcome from told
              union all
              select row_number, parts, outcome from before
              where not exists (select from told
                where told.row_number = before.row_number and told.channel = before.channel)
            ) now
            group by row_number, parts having count(*) = parts`,
        )}
      )
      select count(*)::integer as settled from told`.execute(tx);
    return rows[0]?.settled ?? 0;
  });
}

/**
 * Records that Klaviyo shows these opt-outs. From now on its readings count, since an opt-out can
 * be withdrawn there. Includes earlier calls of the run that asked for the same and lost their
 * answers.
 */
async function noteShown(
  db: LedgerDb,
  migrationId: string,
  settlements: readonly Settlement[],
): Promise<void> {
  if (settlements.length === 0) return;
  await sql`
    update consentry.opt_out o set shown_at = now()
    from unnest(
      ${settlements.map((s) => s.rowNumber)}::integer[], ${settlements.map((s) => s.channel)}::text[]
    ) as given (row_number, channel)
    cross join lateral (select given.row_number, given.channel::consentry.channel as channel) p
    join consentry.run on run.id = ${migrationId}
    join consentry.intent i on i.migration_number = ${numberOf(migrationId)}
      and i.row_number = p.row_number
    where o.account_id = run.account_id and o.source = 'submission' and o.shown_at is null
      and (o.list_id <> '' or o.channel in (
        select by_channel from ${countingOptOuts} where channel = p.channel))
      and (o.identifier = ${identifierOfPart}
        or (o.list_id <> '' and o.identifier in (i.email, i.phone_number)))
      and o.submission_id <= (select max(c.submission_id) from consentry.carried c
        where ${carriedWhere(sql`i.migration_number`, sql`i.row_number`, sql`p.channel`)})
      and exists (select from consentry.submission asked
        where asked.id = o.submission_id and asked.migration_id = run.id)`.execute(db);
}
