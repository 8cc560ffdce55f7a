import { sql, type RawBuilder } from 'kysely';
import type { Channel, Operation } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';
import {
  countingOptOuts,
  counts,
  forgetOptOuts,
  identifierOfPart,
  identifiersOfCall,
  leftListOfRun,
} from '../opt-outs/known.js';
import type { SubmissionStatus } from '../schema/tables.js';
import {
  askedForWhichever,
  carriedWhere,
  isSettled,
  joinMembership,
  newestReading,
  numberOf,
  peopleOf,
} from '../parts.js';
import { markedOptOuts } from '../erasure/marks.js';
import { byBlock, integers, RowNumbers } from '../row-numbers.js';
import { MigrationNotFoundError, sourceRun } from '../runs/migrations.js';
import { lockForCall } from '../runs/steering-lock.js';
import { lockForSettling } from '../transactions.js';
import { claimAsking, releaseAsking, settleAskedParts, type Asking } from './asked.js';
import { settleUnsentParts } from './settlements.js';
import { standingOf } from './standing.js';

export interface SentPart {
  readonly rowNumber: number;
  readonly channel: Channel;
}

/** Bounds of what Klaviyo's clock shows at one moment. */
export interface KlaviyoMoment {
  readonly earliest: Date;
  readonly latest: Date;
}

/** A call that is about to be made. */
export interface NewSubmission {
  readonly migrationId: string;
  readonly jobNumber: number;
  readonly endpoint: string;
  /** It leaves out people who are known to have opted out. */
  readonly bringsIn: boolean;
  /** What it opts people out of: everything, or only this list. Null if of nothing. */
  readonly optsOutOf: 'everything' | { readonly listId: string } | null;
  /** How it asks for clicks; null if it does not. */
  readonly asks: Asking | null;
  /** Null if Klaviyo's clock was never seen. */
  readonly now: KlaviyoMoment | null;
  readonly parts: readonly SentPart[];
}

/** The parts that the call carries, or why it must not be made. */
export type Begun =
  | { readonly state: 'begun'; readonly id: string; readonly parts: readonly SentPart[] }
  | { readonly state: 'nothing_left' | 'paused' | 'stopped' };

/**
 * Records, before the call is made, which parts it carries: the given parts that are open and
 * unsent. A paused or stopped run sends nothing from this moment on: recording a stop waits for
 * submissions that are just beginning, and none begins after it. Subscribes and memberships leave
 * out people who are known to have opted out, and a call that asks for clicks whoever was asked.
 *
 * If the worker dies during the call, the submission stays `sending`, and the next attempt knows
 * that Klaviyo may or may not have it.
 */
export async function beginSubmission(db: LedgerDb, submission: NewSubmission): Promise<Begun> {
  const { migrationId, jobNumber, bringsIn, optsOutOf, asks, now, parts } = submission;
  return db.transaction().execute(async (tx): Promise<Begun> => {
    // Calls of a job begin one at a time: two attempts at the same rows would wait for each other.
    await lockJob(tx, migrationId, jobNumber);
    await lockForCall(tx, migrationId);
    const run = await tx
      .selectFrom('run')
      .innerJoin('migration', 'migration.id', 'run.id')
      .select(['run.paused', 'run.stopped_at', 'migration.number'])
      .where('run.id', '=', migrationId)
      .executeTakeFirst();
    if (run === undefined) throw new MigrationNotFoundError(migrationId);
    const { paused, stopped_at, number } = run;
    if (stopped_at !== null) return { state: 'stopped' };
    if (paused) return { state: 'paused' };
    // Before the opt-outs are looked up: one that becomes known while this call waits must count.
    await lockForSettling(tx, migrationId);
    const rowNumbers = parts.map(({ rowNumber }) => rowNumber);
    const standing = await standingOf(tx, migrationId, number, rowNumbers);
    const lifts =
      optsOutOf === null ? parts.filter(({ channel }) => channel === 'suppression') : [];
    const known = bringsIn ? parts.filter(({ rowNumber }) => standing.hasOptOut(rowNumber)) : [];
    const optedOut =
      known.length > 0
        ? await leaveOutOptedOut(tx, migrationId, known)
        : await leaveOutTakenOutSince(tx, migrationId, lifts);
    // What was left out may stand in the way of other parts of the row.
    const current =
      optedOut === null ? standing : await standingOf(tx, migrationId, number, rowNumbers);
    const left = parts.filter(
      (part) => current.isOpenAndUnsent(part) && optedOut?.has(keyOf(part)) !== true,
    );
    const sent = asks === null ? left : await leaveOutAsked(tx, migrationId, asks, left);
    if (sent.length === 0) return { state: 'nothing_left' };
    const id = await carry(tx, submission, number, sent);
    if (optsOutOf !== null) {
      const at = now?.latest ?? new Date();
      await noteAskedOptOuts(tx, { migrationId, submissionId: id, optsOutOf, at }, sent);
    }
    return { state: 'begun', id, parts: sent };
  });
}

const keyOf = ({ rowNumber, channel }: SentPart): string => `${rowNumber} ${channel}`;

async function lockJob(tx: LedgerDb, migrationId: string, jobNumber: number): Promise<void> {
  await tx
    .selectFrom('job')
    .select('job_number')
    .where('migration_id', '=', migrationId)
    .where('job_number', '=', jobNumber)
    .forNoKeyUpdate()
    .execute();
}

/** The given parts as `p (row_number, channel)`. */
const listed = (parts: readonly SentPart[]): RawBuilder<unknown> => {
  const channels = [...new Set(parts.map(({ channel }) => channel))];
  const ofChannel = (channel: Channel) => {
    const rows = parts.flatMap((part) => (part.channel === channel ? part.rowNumber : []));
    return sql`select row_number, ${channel}::consentry.channel as channel
      from unnest(${integers(rows)}) as given (row_number)`;
  };
  return sql`(${sql.join(channels.map(ofChannel), sql` union all `)}) as p`;
};

/** The last call that carries, or may have carried, part `p` of intent `i`. */
const lastCall = sql`(
  select s.id, s.status, s.sent_at
  from consentry.carried c join consentry.submission s on s.id = c.submission_id
  where ${carriedWhere(sql`i.migration_number`, sql`i.row_number`, sql`p.channel`)}
  order by s.id desc limit 1)`;

/**
 * Records a call and which parts it carries, in one statement.
 *
 * @returns the id of the submission
 */
async function carry(
  db: LedgerDb,
  { migrationId, jobNumber, endpoint, now }: NewSubmission,
  number: number,
  parts: readonly SentPart[],
): Promise<string> {
  const channels = [...new Set(parts.map(({ channel }) => channel))];
  const carried = channels.flatMap((channel) => {
    const rows = parts.flatMap((part) => (part.channel === channel ? part.rowNumber : []));
    return [...byBlock(rows)].map(([block, numbers]) => ({
      channel,
      block,
      rows: RowNumbers.of(numbers).toString(),
    }));
  });
  const rowNumbers = new Set(parts.map(({ rowNumber }) => rowNumber));
  const { rows } = await sql<{ id: string }>`
    with submission as (
      insert into consentry.submission
        (migration_id, job_number, endpoint, status, rows, klaviyo_sent_at)
      values (${migrationId}, ${jobNumber}, ${endpoint}, 'sending', ${rowNumbers.size},
        ${now?.earliest ?? null})
      returning id, klaviyo_sent_at
    ), carried as (
      insert into consentry.carried
        (submission_id, klaviyo_sent_at, job_number, migration_number, block, channel, rows)
      select s.id, s.klaviyo_sent_at, ${jobNumber}, ${number}, c.block,
        c.channel::consentry.channel, c.rows::int4multirange
      from submission s cross join unnest(
        ${carried.map(({ block }) => block)}::integer[],
        ${carried.map(({ channel }) => channel)}::text[],
        ${carried.map(({ rows }) => rows)}::text[]
      ) as c (block, channel, rows)
    ), job as (
      update consentry.job set sent = sent + ${RowNumbers.of(rowNumbers).toString()}::int4multirange
      where migration_id = ${migrationId} and job_number = ${jobNumber}
    )
    select id from submission`.execute(db);
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('A submission was not recorded');
  return id;
}

/**
 * Leaves out people whose opt-out is known from any run or feed. Parts that were certainly not sent
 * are settled here. A subscribe whose answer was lost may still be applied, so it is watched.
 *
 * @param known parts of people of whom the account knows any opt-out
 * @returns keys of the parts that are left out; null if none is
 */
async function leaveOutOptedOut(
  db: LedgerDb,
  migrationId: string,
  known: readonly SentPart[],
): Promise<ReadonlySet<string> | null> {
  const people = await peopleOf(db, migrationId);
  const { rows: optedOut } = await sql<{
    row_number: number;
    channel: Channel;
    operation: Operation;
    opted_out_at: Date;
    left_list: boolean;
    was_sent: boolean;
  }>`
    select p.row_number, p.channel, asked.operation, max(o.opted_out_at) as opted_out_at,
      bool_and(o.left_list) as left_list, bool_or(last.id is not null) as was_sent
    from ${listed(known)}
    join consentry.migration m on m.id = ${migrationId}
    join consentry.run on run.id = m.id
    cross join lateral (
      select * from consentry.intent i
      where i.migration_number = ${people.number} and i.row_number = p.row_number offset 0
    ) i
    ${joinMembership(people)}
    cross join lateral (select ${askedForWhichever(people, sql`p.channel`)} as operation offset 0) asked
    left join lateral ${newestReading} reading on true
    left join lateral ${lastCall} last on true
    left join consentry.consent_before b on b.migration_number = m.number
      and b.row_number = p.row_number and b.channel = p.channel
    join ${countingOptOuts} on counting.channel = p.channel
    -- By key for each part: the table grows by thousands of rows, and the planner's statistics
    -- lag behind. A plain join could become a product of both tables and delay a pause or a
    -- cancel of the run.
    cross join lateral (
      select o.opted_out_at, said.left_list
      from (
        select o.identifier, o.channel, o.list_id, o.opted_out_at, o.source, o.shown_at
        from consentry.opt_out o
        where o.account_id = run.account_id and o.identifier = any(${identifiersOfCall})
        union all ${markedOptOuts(sql`run.account_id`, identifiersOfCall)}
      ) o
      cross join lateral (select ${leftListOfRun} as left_list) said
      where (said.left_list or (o.channel = counting.by_channel
          and o.identifier = ${identifierOfPart}
          and o.list_id in ('', coalesce(m.settings->>'listId', '')))
          or (p.channel = 'list' and o.list_id = m.settings->>'moveFrom'))
        -- After a lost call, not against the newest reading: that shows the effect of the call.
        and ${counts(sql`coalesce(last.sent_at, reading.read_at)`)}
        -- Not if the person has resubscribed since.
        and not coalesce(b.consent = 'SUBSCRIBED' and b.consented_at > o.opted_out_at, false)
      offset 0
    ) o
    where asked.operation is not null and not ${isSettled(sql`p.channel`)}
      and (last.status is null or last.status = 'lost')
    group by p.row_number, p.channel, asked.operation
    order by p.row_number, p.channel`.execute(db);
  if (optedOut.length === 0) return null;
  const watched = optedOut.filter((part) => part.was_sent && part.operation === 'subscribe');
  await sql`
    insert into consentry.repair (migration_id, row_number, channel, opted_out_at)
    select ${migrationId}, row_number, channel::consentry.channel, max(opted_out_at)
    from unnest(
      ${watched.map((part) => part.row_number)}::integer[],
      ${watched.map((part) => (part.left_list ? 'list' : part.channel))}::text[],
      ${watched.map((part) => part.opted_out_at)}::timestamptz[]
    ) as w (row_number, channel, opted_out_at)
    group by row_number, channel order by row_number, channel
    on conflict (migration_id, row_number, channel) do nothing`.execute(db);
  await settleUnsentParts(
    db,
    migrationId,
    optedOut
      .filter((part) => !part.was_sent)
      .map((part) => ({
        rowNumber: part.row_number,
        channel: part.channel,
        outcome: 'skipped_opted_out',
        reason: 'opted_out_during_run',
        settledBy: 'opt_outs',
      })),
  );
  return new Set(
    optedOut.map((part) => keyOf({ rowNumber: part.row_number, channel: part.channel })),
  );
}

/**
 * Leaves out people whom another run has asked for the same click since the plan: they are settled here.
 *
 * @returns the other parts, whose people are now asked
 */
async function leaveOutAsked(
  db: LedgerDb,
  migrationId: string,
  asks: Asking,
  parts: readonly SentPart[],
): Promise<readonly SentPart[]> {
  const asked = await claimAsking(db, migrationId, asks, parts);
  if (asked.length === 0) return parts;
  await settleAskedParts(db, migrationId, asks, asked);
  const keys = new Set(asked.map(keyOf));
  return parts.filter((part) => !keys.has(keyOf(part)));
}

/**
 * Leaves out people whom another run has opted out of mail since this one was asked for: a lift that
 * is older would undo that suppression.
 *
 * @param lifts parts that lift a suppression
 * @returns keys of the parts that are left out; null if none is
 */
async function leaveOutTakenOutSince(
  db: LedgerDb,
  migrationId: string,
  lifts: readonly SentPart[],
): Promise<ReadonlySet<string> | null> {
  if (lifts.length === 0) return null;
  const { rows } = await sql<{ row_number: number }>`
    select i.row_number
    from consentry.run
    join consentry.run asked on asked.id = ${await sourceRun(db, migrationId)}
    cross join lateral (
      select i.row_number, i.email from consentry.intent i
      where i.migration_number = ${numberOf(migrationId)}
        and i.row_number = any(${integers(lifts.map(({ rowNumber }) => rowNumber))}) offset 0
    ) i
    where run.id = ${migrationId} and exists (
      select from consentry.opt_out o join consentry.submission s on s.id = o.submission_id
      where o.account_id = run.account_id and o.identifier = i.email and o.channel = 'email'
        and o.list_id = '' and o.source = 'submission' and o.noted_at >= asked.created_at
        and s.migration_id <> run.id
      offset 0)`.execute(db);
  if (rows.length === 0) return null;
  const leftOut = rows.map(({ row_number: rowNumber }) => ({
    rowNumber,
    channel: 'suppression' as const,
  }));
  await settleUnsentParts(
    db,
    migrationId,
    leftOut.map((part) => ({
      ...part,
      outcome: 'skipped_opted_out',
      reason: 'opted_out_during_run',
      settledBy: 'opt_outs',
    })),
  );
  return new Set(leftOut.map(keyOf));
}

/**
 * An opt-out counts from the moment it is asked for: no run subscribes the person after that. One of a
 * single list is stored as Klaviyo shows it: as one of e-mail, under both identifiers.
 */
async function noteAskedOptOuts(
  db: LedgerDb,
  asked: {
    readonly migrationId: string;
    readonly submissionId: string;
    readonly optsOutOf: NonNullable<NewSubmission['optsOutOf']>;
    readonly at: Date;
  },
  parts: readonly SentPart[],
): Promise<void> {
  const { migrationId, submissionId, optsOutOf, at } = asked;
  const isGlobal = optsOutOf === 'everything';
  const said = isGlobal
    ? sql`(select ${identifierOfPart} as identifier, counting.by_channel from ${countingOptOuts}
        where counting.channel = p.channel)`
    : sql`(select identifier, 'email'::consentry.channel as by_channel
        from unnest(array[i.email, i.phone_number]) as address (identifier))`;
  await sql`
    insert into consentry.opt_out
      (account_id, identifier, channel, list_id, opted_out_at, source, submission_id)
    select distinct run.account_id, said.identifier, said.by_channel,
      ${isGlobal ? '' : optsOutOf.listId}, ${at}::timestamptz, 'submission', ${submissionId}::bigint
    from ${listed(parts)}
    join consentry.intent i on i.migration_number = ${numberOf(migrationId)}
      and i.row_number = p.row_number
    join consentry.run on run.id = ${migrationId}
    cross join lateral ${said} said
    where run.account_id is not null and said.identifier is not null
    order by 1, 2, 3
    on conflict do nothing`.execute(db);
}

export type SubmissionAnswer =
  | {
      readonly status: 'accepted';
      readonly partialFailure: string | null;
      readonly requestId: string | null;
    }
  /** Klaviyo refused the whole call, or it never left this machine: its parts are unsent again. */
  | { readonly status: 'refused' | 'not_sent' }
  /** Klaviyo may have it, so it must be read back. */
  | { readonly status: 'ambiguous' }
  /** Klaviyo may have it, but it may be sent again anyway. */
  | { readonly status: 'lost' };

export async function answerSubmission(
  db: LedgerDb,
  submissionId: string,
  answer: SubmissionAnswer,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const submission = await tx
      .updateTable('submission')
      .set({
        status: answer.status,
        answered_at: sql`now()`,
        ...(answer.status === 'accepted'
          ? { partial_failure: answer.partialFailure, request_id: answer.requestId }
          : {}),
      })
      .where('id', '=', submissionId)
      .returning(['migration_id', 'job_number'])
      .executeTakeFirstOrThrow();
    if (answer.status === 'accepted') {
      await tx
        .updateTable('job')
        .set({
          accepted_at: sql`now()`,
          // All its rows may have been proved before the answer arrived.
          look_up_at: sql`case when woken_at is null then now() end`,
        })
        .where('migration_id', '=', submission.migration_id)
        .where('job_number', '=', submission.job_number)
        .execute();
    }
    if (answer.status === 'refused' || answer.status === 'not_sent') {
      // Another call of the job may be beginning: only a statement after it sees what it carries.
      await lockJob(tx, submission.migration_id, submission.job_number);
      await releaseAsking(tx, submissionId);
      await tx.deleteFrom('carried').where('submission_id', '=', submissionId).execute();
      await sql`
        update consentry.job set sent = coalesce((
          select range_agg(carried.rows) from (
            select unnest(c.rows) as rows
            from consentry.submission s join consentry.carried c on c.submission_id = s.id
            where s.migration_id = ${submission.migration_id}
              and s.job_number = ${submission.job_number}
          ) carried
        ), '{}')
        where migration_id = ${submission.migration_id}
          and job_number = ${submission.job_number}`.execute(tx);
    }
    if (answer.status === 'not_sent') await forgetOptOuts(tx, submissionId);
  });
}

export interface SubmissionRecord {
  readonly id: string;
  readonly status: SubmissionStatus;
  readonly partialFailure: string | null;
}

export async function submissionsOfJob(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
): Promise<SubmissionRecord[]> {
  const rows = await db
    .selectFrom('submission')
    .select(['id', 'status', 'partial_failure'])
    .where('migration_id', '=', migrationId)
    .where('job_number', '=', jobNumber)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    status: row.status,
    partialFailure: row.partial_failure,
  }));
}
