import { sql } from 'kysely';
import type { Channel } from '../contracts/channels.js';
import type { LedgerDb } from './database.js';

export interface SentPart {
  readonly rowNumber: number;
  readonly channel: Channel;
}

/**
 * Notes, before the call is made, which parts go with it. If the worker dies on the way the
 * submission stays `sending`, and the next attempt knows that Klaviyo may or may not have it.
 *
 * @returns the id of the submission
 */
export async function beginSubmission(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
  endpoint: string,
  parts: readonly SentPart[],
): Promise<string> {
  return db.transaction().execute(async (tx) => {
    const { id } = await tx
      .insertInto('submission')
      .values({
        migration_id: migrationId,
        job_number: jobNumber,
        endpoint,
        status: 'sending',
        rows: new Set(parts.map((part) => part.rowNumber)).size,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    await sql`
      update consentry.intent_part p set submission_id = ${id}
      from unnest(
        ${parts.map((p) => p.rowNumber)}::integer[], ${parts.map((p) => p.channel)}::text[]
      ) as s (row_number, channel)
      where p.migration_id = ${migrationId} and p.row_number = s.row_number
        and p.channel = s.channel::consentry.channel and p.outcome is null`.execute(tx);
    return id;
  });
}

export type SubmissionAnswer =
  | {
      readonly status: 'accepted';
      readonly partialFailure: string | null;
      readonly requestId: string | null;
    }
  /** Klaviyo refused it as a whole, or nothing left this machine: its parts are unsent again. */
  | { readonly status: 'refused' | 'not_sent' }
  /** Klaviyo may have it. */
  | { readonly status: 'ambiguous' };

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
        answered_at: new Date(),
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
        .set({ accepted_at: new Date() })
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
  });
}

export interface SubmissionRecord {
  readonly id: string;
  readonly status: 'sending' | 'accepted' | 'refused' | 'not_sent' | 'ambiguous';
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
