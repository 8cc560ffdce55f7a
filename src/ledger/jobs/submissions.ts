import { sql, type RawBuilder } from 'kysely';
import type { Channel } from '../../contracts/channels.js';
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
import { MigrationNotFoundError } from '../runs/migrations.js';
import { lockForCall } from '../runs/steering-lock.js';

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
  /** It opts people out, so no known opt-out forbids it. */
  readonly takesOut: boolean;
  /** Null if Klaviyo's clock was never seen. */
  readonly now: KlaviyoMoment | null;
  readonly parts: readonly SentPart[];
}

/** The parts that the call carries, or why it must not be made. */
export type Begun =
  | { readonly state: 'begun'; readonly id: string; readonly parts: readonly SentPart[] }
  | { readonly state: 'nothing_left' | 'paused' | 'stopped' };

/** No call carried or may have carried part `p`, or its answer was lost and has been read back. */
export const isUnsent: RawBuilder<boolean> = sql`(p.submission_id is null or exists (
  select from consentry.submission s where s.id = p.submission_id and s.status = 'lost'))`;

/** The person of part `p` opted out after it was sent: see `repairs.ts`. */
export const isBeingRepaired: RawBuilder<boolean> = sql`exists (
  select from consentry.repair r where r.migration_id = p.migration_id
    and r.row_number = p.row_number and r.channel = p.channel and r.closed_at is null)`;

/**
 * Records, before the call is made, which parts it carries: the given parts that are open and
 * unsent. A paused or stopped run sends nothing from this moment on: recording a stop waits for
 * submissions that are just beginning, and none begins after it. Subscribes and memberships leave
 * out people who are known to have opted out.
 *
 * If the worker dies during the call, the submission stays `sending`, and the next attempt knows
 * that Klaviyo may or may not have it.
 */
export async function beginSubmission(db: LedgerDb, submission: NewSubmission): Promise<Begun> {
  const { migrationId, jobNumber, endpoint, takesOut, now, parts } = submission;
  return db.transaction().execute(async (tx): Promise<Begun> => {
    // Calls of a job begin one at a time: two attempts at the same rows would wait for each other.
    await tx
      .selectFrom('job')
      .select('job_number')
      .where('migration_id', '=', migrationId)
      .where('job_number', '=', jobNumber)
      .forNoKeyUpdate()
      .execute();
    await lockForCall(tx, migrationId);
    const run = await tx
      .selectFrom('run')
      .select(['paused', 'stopped_at'])
      .where('id', '=', migrationId)
      .executeTakeFirst();
    if (run === undefined) throw new MigrationNotFoundError(migrationId);
    const { paused, stopped_at } = run;
    if (stopped_at !== null) return { state: 'stopped' };
    if (paused) return { state: 'paused' };
    const asked = takesOut ? parts : await withoutOptedOut(tx, migrationId, parts);
    const { id } = await tx
      .insertInto('submission')
      .values({
        migration_id: migrationId,
        job_number: jobNumber,
        endpoint,
        status: 'sending',
        rows: 0,
        klaviyo_sent_at: now?.earliest ?? null,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const { rows: marked } = await sql<{ row_number: number; channel: Channel }>`
      update consentry.intent_part p set submission_id = ${id}
      from ${listed(asked)}
      where p.migration_id = ${migrationId} and p.row_number = asked.row_number
        and p.channel = asked.channel and p.outcome is null and ${isUnsent}
        and not ${isBeingRepaired}
      returning p.row_number, p.channel`.execute(tx);
    if (marked.length === 0) {
      await tx.deleteFrom('submission').where('id', '=', id).execute();
      return { state: 'nothing_left' };
    }
    const sent = marked.map((part) => ({ rowNumber: part.row_number, channel: part.channel }));
    await tx
      .updateTable('submission')
      .set({ rows: new Set(sent.map(({ rowNumber }) => rowNumber)).size })
      .where('id', '=', id)
      .execute();
    if (takesOut) await noteAskedOptOuts(tx, migrationId, id, sent, now?.latest ?? new Date());
    return { state: 'begun', id, parts: sent };
  });
}

const listed = (parts: readonly SentPart[]) => sql`
  (select row_number, channel::consentry.channel from unnest(
    ${parts.map((part) => part.rowNumber)}::integer[], ${parts.map((part) => part.channel)}::text[]
  ) as given (row_number, channel)) as asked`;

/**
 * Leaves out people whose opt-out is known from any run or feed. Parts that were certainly not sent
 * are settled here. A subscribe whose answer was lost may still be applied, so it is watched.
 */
async function withoutOptedOut(
  db: LedgerDb,
  migrationId: string,
  parts: readonly SentPart[],
): Promise<readonly SentPart[]> {
  const { rows: optedOut } = await sql<{ row_number: number; channel: Channel }>`
    with opted_out as (
      select p.row_number, p.channel, p.operation, p.submission_id,
        max(o.opted_out_at) as opted_out_at, bool_and(o.left_list) as left_list
      from consentry.migration m
      join consentry.run on run.id = m.id
      cross join ${listed(parts)}
      cross join lateral (
        select * from consentry.intent_part p where p.migration_id = m.id
          and p.row_number = asked.row_number and p.channel = asked.channel
          and p.outcome is null and ${isUnsent}
        offset 0
      ) p
      cross join lateral (
        select * from consentry.intent i
        where i.migration_id = m.id and i.row_number = p.row_number offset 0
      ) i
      join ${countingOptOuts} on counting.channel = p.channel
      -- By key for each part: the table grows by thousands of rows, and the planner's statistics
      -- lag behind. A plain join could become a product of both tables and delay a pause or a
      -- cancel of the run.
      cross join lateral (
        select o.opted_out_at, said.left_list from consentry.opt_out o
        cross join lateral (select ${leftListOfRun} as left_list) said
        where o.account_id = run.account_id and o.identifier = any(${identifiersOfCall})
          and (said.left_list or (o.channel = counting.by_channel
            and o.identifier = ${identifierOfPart}
            and o.list_id in ('', coalesce(m.settings->>'listId', ''))))
          -- After a lost call, not against the newest reading: that shows the effect of the call.
          and ${counts(sql`coalesce(
            (select s.sent_at from consentry.submission s where s.id = p.submission_id),
            i.consent_read_at)`)}
          -- Not if the person has resubscribed since.
          and not coalesce(p.consent_before = 'SUBSCRIBED'
            and p.consent_before_at > o.opted_out_at, false)
        offset 0
      ) o
      where m.id = ${migrationId}
      group by p.row_number, p.channel, p.operation, p.submission_id
    ), watched as (
      insert into consentry.repair (migration_id, row_number, channel, opted_out_at)
      select ${migrationId}, row_number,
        case when left_list then 'list'::consentry.channel else channel end, opted_out_at
      from opted_out
      where submission_id is not null and operation = 'subscribe'
      on conflict (migration_id, row_number, channel) do nothing
    ), ended as (
      update consentry.intent_part p set outcome = 'skipped_opted_out',
        reason = 'opted_out_during_run', settled_by = 'opt_outs', settled_at = now()
      from opted_out o
      where p.migration_id = ${migrationId} and p.row_number = o.row_number
        and p.channel = o.channel and o.submission_id is null
    )
    select row_number, channel from opted_out`.execute(db);
  if (optedOut.length === 0) return parts;
  const left = new Set(optedOut.map((part) => `${part.row_number} ${part.channel}`));
  return parts.filter(({ rowNumber, channel }) => !left.has(`${rowNumber} ${channel}`));
}

/** An opt-out counts from the moment it is asked for: no run subscribes the person after that. */
async function noteAskedOptOuts(
  db: LedgerDb,
  migrationId: string,
  submissionId: string,
  parts: readonly SentPart[],
  at: Date,
): Promise<void> {
  await sql`
    insert into consentry.opt_out
      (account_id, identifier, channel, list_id, opted_out_at, source, submission_id)
    select distinct run.account_id, ${identifierOfPart}, counting.by_channel, '', ${at}::timestamptz,
      'submission', ${submissionId}::bigint
    from ${listed(parts)}
    join consentry.intent_part p on p.migration_id = ${migrationId}
      and p.row_number = asked.row_number and p.channel = asked.channel
    join consentry.intent i on i.migration_id = p.migration_id and i.row_number = p.row_number
    join consentry.run on run.id = p.migration_id
    join ${countingOptOuts} on counting.channel = p.channel
    where run.account_id is not null and ${identifierOfPart} is not null
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
        .set({ accepted_at: sql`now()` })
        .where('migration_id', '=', submission.migration_id)
        .where('job_number', '=', submission.job_number)
        .execute();
    }
    if (answer.status === 'refused' || answer.status === 'not_sent') {
      await tx
        .updateTable('intent_part')
        .set({ submission_id: null })
        .where('migration_id', '=', submission.migration_id)
        .where('job_number', '=', submission.job_number)
        .where('submission_id', '=', submissionId)
        .where('outcome', 'is', null)
        .execute();
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
