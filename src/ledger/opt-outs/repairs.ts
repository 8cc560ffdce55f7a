import { sql, type RawBuilder } from 'kysely';
import type { Channel } from '../../contracts/channels.js';
import type { Outcome } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';
import {
  countingOptOuts,
  counts,
  identifierOfPart,
  identifiersOfCall,
  leftListOfRun,
} from './known.js';
import { isIdentifier, newestReading } from '../parts.js';

/**
 * A person whom a run asked Klaviyo to subscribe, and who is known to have opted out since their
 * consent was read. They are watched while that subscribe can still be applied, and unsubscribed
 * again.
 */
export interface Repair {
  readonly rowNumber: number;
  /** `list`: they left the run's list, and a subscribe to another channel put them back on it. */
  readonly channel: Channel;
  readonly email: string | null;
  readonly rawEmail: string | null;
  readonly phoneNumber: string | null;
  readonly optedOutAt: string;
  /** For `list`: the row's identifiers that left it. They may belong to two people. */
  readonly leftBy: readonly string[];
  /** How the part ended; null while it is open, or if the row has no `list` part. */
  readonly outcome: Outcome | null;
  /** Since the last call that carried the part. */
  readonly sentMsAgo: number;
  /** Whether the person was read as subscribed after they opted out. */
  readonly wasSubscribed: boolean;
  /** Since they were first read as subscribed; null if they were not. */
  readonly subscribedMsAgo: number | null;
  /** Since Klaviyo last accepted the opt-out that undoes it; null if it did not. */
  readonly unsubscribedMsAgo: number | null;
}

/** Calls that may undo an opt-out of a channel or of the run's list. */
export const PUTS_ON_LIST = sql`array['bulk_subscribe_profiles', 'bulk_import_profiles']`;

/** How much a search overlaps the last one: a transaction that stores an opt-out may commit late. */
const NOTED_OVERLAP_SECONDS = 30;

/**
 * Finds sent subscribes of a run whose people are known to have opted out. A part is sent only
 * while no opt-out is known, so those known now were made, or became visible, after that. Each
 * search continues where the last one ended, in any process; the first one begins at the first such
 * call.
 */
export async function findRepairs(db: LedgerDb, migrationId: string): Promise<void> {
  const { rows } = await sql<{ since: Date | null; now: Date }>`
    select clock_timestamp() as now, coalesce(m.repairs_noted_at, (
        select min(s.sent_at) from consentry.submission s
        where s.migration_id = m.id and s.endpoint = any(${PUTS_ON_LIST})
      )) - make_interval(secs => ${NOTED_OVERLAP_SECONDS}) as since
    from consentry.migration m where m.id = ${migrationId}`.execute(db);
  const period = rows[0];
  if (period === undefined || period.since === null) return;
  await noteRepairs(
    db,
    migrationId,
    sql`select o.* from consentry.opt_out o
      where o.account_id = run.account_id and o.noted_at >= ${period.since}::timestamptz`,
  );
  await sql`
    update consentry.migration set repairs_noted_at = greatest(repairs_noted_at, ${period.now}::timestamptz)
    where id = ${migrationId}`.execute(db);
}

/** The same only for people with these identifiers, whenever their opt-outs were stored. */
export async function findRepairsOf(
  db: LedgerDb,
  migrationId: string,
  identifiers: readonly string[],
): Promise<void> {
  if (identifiers.length === 0) return;
  await noteRepairs(
    db,
    migrationId,
    sql`select o.* from unnest(${[...new Set(identifiers)]}::text[]) as asked (identifier)
      cross join lateral (
        select * from consentry.opt_out o
        where o.account_id = run.account_id and o.identifier = asked.identifier offset 0
      ) o`,
  );
}

/**
 * The lateral joins start from the opt-outs, so that each finds its rows and parts by index.
 * Opt-outs are few, but the planner's estimate of their number is as old as the last ANALYZE.
 *
 * @param optOuts a query for opt-outs of the account of `run`
 */
async function noteRepairs(
  db: LedgerDb,
  migrationId: string,
  optOuts: RawBuilder<unknown>,
): Promise<void> {
  await sql`
    insert into consentry.repair as r (migration_id, row_number, channel, opted_out_at)
    select m.id, p.row_number, p.channel, max(o.opted_out_at)
    from consentry.migration m
    join consentry.run on run.id = m.id
    cross join lateral (${optOuts} offset 0) o
    cross join lateral (
      select * from consentry.intent i
      where i.migration_number = m.number
        and (${isIdentifier('email', sql`o.identifier`)}
          or ${isIdentifier('phone_number', sql`o.identifier`)})
      offset 0
    ) i
    left join lateral ${newestReading} reading on true
    cross join lateral (
      select p.row_number, case when said.left_list then 'list' else p.channel end as channel
      from consentry.part p
      join consentry.submission s on s.id = p.submission_id
      cross join lateral (select ${leftListOfRun} as left_list) said
      where p.migration_number = m.number and p.row_number = i.row_number
        and case when said.left_list
          then p.operation in ('subscribe', 'add_to_list') and o.identifier = any(${identifiersOfCall})
          else p.operation = 'subscribe' and o.identifier = ${identifierOfPart}
            and (p.channel, o.channel) in (select channel, by_channel from ${countingOptOuts}) end
        and (p.outcome is null or p.outcome <> 'rejected')
        -- Not against the newest reading: one after the call shows the effect of the call itself.
        and ${counts(sql`s.sent_at`)}
      offset 0
    ) p
    where m.id = ${migrationId} and o.list_id in ('', coalesce(m.settings->>'listId', ''))
    group by m.id, p.row_number, p.channel
    order by p.row_number, p.channel
    on conflict (migration_id, row_number, channel) do update
      set opted_out_at = excluded.opted_out_at, closed_at = null
    where excluded.opted_out_at > r.opted_out_at`.execute(db);
}

/** Selects open repairs of a run. */
export interface WhichRepairs {
  /** Only those of this job; null or absent for all. */
  readonly jobNumber?: number | null;
  /** The last repair of the previous page; null or absent for the first page. */
  readonly after?: Pick<Repair, 'rowNumber' | 'channel'> | null;
  /** Repairs per page; null or absent for all. */
  readonly limit?: number | null;
}

/** By then a call has been answered or given up: no step of a job takes longer. */
const ON_THE_WIRE = sql`interval '15 minutes'`;

/** When submission `s` was last on the wire; now if it still may be. */
const LEFT_THE_WIRE = sql`coalesce(s.answered_at, least(now(), s.sent_at + ${ON_THE_WIRE}))`;

/** Open repairs of a run in the order of its rows. */
export async function openRepairs(
  db: LedgerDb,
  migrationId: string,
  { jobNumber = null, after = null, limit = null }: WhichRepairs = {},
): Promise<Repair[]> {
  const { rows } = await sql<{
    row_number: number;
    channel: Channel;
    email: string | null;
    raw_email: string | null;
    phone_number: string | null;
    opted_out_at: Date;
    left_by: string[];
    outcome: Outcome | null;
    sent_ms_ago: number;
    subscribed_ms_ago: number | null;
    unsubscribed_ms_ago: number | null;
  }>`
    select r.row_number, r.channel, i.email, i.raw_email, i.phone_number, r.opted_out_at, p.outcome,
      case when r.channel = 'list' then array(
        select distinct o.identifier from consentry.opt_out o
        where o.account_id = run.account_id and o.identifier in (i.email, i.phone_number)
          and o.list_id = m.settings->>'listId'
      ) else '{}' end as left_by,
      (extract(epoch from now() - case when s.id is null then run.created_at
        else ${LEFT_THE_WIRE} end) * 1000)::float8 as sent_ms_ago,
      (extract(epoch from now() - r.subscribed_seen_at) * 1000)::float8 as subscribed_ms_ago,
      (extract(epoch from now() - r.unsubscribed_at) * 1000)::float8 as unsubscribed_ms_ago
    from consentry.repair r
    join consentry.migration m on m.id = r.migration_id
    join consentry.run on run.id = m.id
    join consentry.intent i on i.migration_number = m.number and i.row_number = r.row_number
    cross join lateral (
      select case when channel = r.channel then outcome end as outcome, job_number, submission_id
      from consentry.part
      where migration_number = m.number and row_number = r.row_number
        and (channel = r.channel or (r.channel = 'list' and operation = 'subscribe'))
      order by submission_id desc nulls last limit 1
    ) p
    left join consentry.submission s on s.id = p.submission_id
    where r.migration_id = ${migrationId} and r.closed_at is null
      and (${jobNumber}::integer is null or p.job_number = ${jobNumber})
      and (${after?.rowNumber ?? null}::integer is null
        or (r.row_number, r.channel) >
          (${after?.rowNumber ?? null}::integer, ${after?.channel ?? null}::consentry.channel))
    order by r.row_number, r.channel limit ${limit}`.execute(db);
  return rows.map((row) => ({
    rowNumber: row.row_number,
    channel: row.channel,
    email: row.email,
    rawEmail: row.raw_email,
    phoneNumber: row.phone_number,
    optedOutAt: row.opted_out_at.toISOString(),
    leftBy: row.left_by,
    outcome: row.outcome,
    sentMsAgo: row.sent_ms_ago,
    wasSubscribed: row.subscribed_ms_ago !== null,
    subscribedMsAgo: row.subscribed_ms_ago,
    unsubscribedMsAgo: row.unsubscribed_ms_ago,
  }));
}

type Key = { readonly rowNumber: number; readonly channel: Channel };

/** They were read as subscribed: the run has to unsubscribe them again. */
export async function markSubscribed(
  db: LedgerDb,
  migrationId: string,
  repairs: readonly Key[],
): Promise<void> {
  await mark(db, migrationId, repairs, 'subscribed_seen_at');
}

/** Klaviyo accepted the opt-out. */
export async function markUnsubscribed(
  db: LedgerDb,
  migrationId: string,
  repairs: readonly Key[],
): Promise<void> {
  await mark(db, migrationId, repairs, 'unsubscribed_at');
}

/** Nothing that the run sent can subscribe them any more. */
export async function closeRepairs(
  db: LedgerDb,
  migrationId: string,
  repairs: readonly Key[],
): Promise<void> {
  await mark(db, migrationId, repairs, 'closed_at');
}

async function mark(
  db: LedgerDb,
  migrationId: string,
  repairs: readonly Key[],
  column: 'subscribed_seen_at' | 'unsubscribed_at' | 'closed_at',
): Promise<void> {
  if (repairs.length === 0) return;
  await sql`
    update consentry.repair r set ${sql.ref(column)} = coalesce(
      ${column === 'subscribed_seen_at' ? sql.ref(`r.${column}`) : sql`null::timestamptz`}, now())
    from unnest(
      ${repairs.map((repair) => repair.rowNumber)}::integer[],
      ${repairs.map((repair) => repair.channel)}::text[]
    ) as done (row_number, channel)
    where r.migration_id = ${migrationId} and r.row_number = done.row_number
      and r.channel = done.channel::consentry.channel`.execute(db);
}

/**
 * How long the subscribes of a run may still be applied, or opt-outs made meanwhile may still
 * become visible: milliseconds until `forMs` after the last subscribe was sent, 0 once that is
 * over. Null if none was sent.
 */
export async function watchLeft(
  db: LedgerDb,
  migrationId: string,
  forMs: number,
): Promise<number | null> {
  const { rows } = await sql<{ left_ms: number | null }>`
    select (extract(epoch from max(${LEFT_THE_WIRE}) - now()) * 1000)::float8
      + ${forMs}::float8 as left_ms
    from consentry.submission s
    where s.migration_id = ${migrationId} and s.endpoint = any(${PUTS_ON_LIST})
      and s.status in ('sending', 'accepted', 'ambiguous', 'lost')`.execute(db);
  const left = rows[0]?.left_ms ?? null;
  return left === null ? null : Math.max(0, left);
}
