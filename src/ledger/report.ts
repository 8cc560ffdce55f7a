import { sql } from 'kysely';
import type { Action, Channel } from '../contracts/channels.js';
import type { Evidence, Outcome, Reason } from '../contracts/outcomes.js';
import type { LedgerDb } from './database.js';

/** One channel of one row and how it ended, as the report shows it. */
export interface ReportedPart {
  readonly rowNumber: number;
  readonly line: number;
  /** As sent; where the importer refused it, as it stands in the source. */
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly channel: Channel;
  readonly action: Action;
  readonly outcome: Outcome | null;
  readonly reason: Reason | null;
  readonly evidence: Evidence | null;
  /** When it was read back or otherwise settled. */
  readonly settledAt: Date | null;
  readonly consentBefore: string | null;
  readonly requestId: string | null;
}

const PAGE_ROWS = 5_000;

/** All parts of a migration in the order of the source, a page of rows at a time. */
export async function* reportedParts(
  db: LedgerDb,
  migrationId: string,
): AsyncGenerator<ReportedPart[]> {
  let after = 0;
  for (;;) {
    const { rows } = await sql<{
      row_number: number;
      line: number;
      email: string | null;
      phone_number: string | null;
      channel: Channel;
      action: Action;
      outcome: Outcome | null;
      reason: Reason | null;
      evidence: Evidence | null;
      settled_at: Date | null;
      consent_before: string | null;
      request_id: string | null;
    }>`
      select p.row_number, i.line, coalesce(i.email, i.raw_email) as email,
        coalesce(i.phone_number, i.raw_phone) as phone_number, p.channel, p.action, p.outcome,
        p.reason, p.evidence, p.settled_at, p.consent_before, s.request_id
      from consentry.intent i
      join consentry.intent_part p using (migration_id, row_number)
      left join consentry.submission s on s.id = p.submission_id
      where i.migration_id = ${migrationId} and i.row_number > ${after}
        and i.row_number <= ${after + PAGE_ROWS}
      order by p.row_number, p.channel`.execute(db);
    if (rows.length === 0) return;
    yield rows.map((row) => ({
      rowNumber: row.row_number,
      line: row.line,
      email: row.email,
      phoneNumber: row.phone_number,
      channel: row.channel,
      action: row.action,
      outcome: row.outcome,
      reason: row.reason,
      evidence: row.evidence,
      settledAt: row.settled_at,
      consentBefore: row.consent_before,
      requestId: row.request_id,
    }));
    after += PAGE_ROWS;
  }
}
