import { sql, type RawBuilder } from 'kysely';
import type { Channel, Operation } from '../../contracts/channels.js';
import type { OutcomeCounts } from '../../contracts/migration.js';
import type { SettledBy, Outcome, Reason } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';
import { numberOf } from '../parts.js';

/** One channel of one row and how it ended, as the report shows it. */
export interface ReportedPart {
  readonly rowNumber: number;
  /** Of the source; 0 if the person was erased. */
  readonly line: number;
  /** Nothing of the person is left but what became of the row. */
  readonly erased: boolean;
  /** As sent; if the importer refused it, as written in the source. */
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly country: string | null;
  readonly channel: Channel;
  readonly operation: Operation;
  readonly outcome: Outcome | null;
  readonly reason: Reason | null;
  readonly settledBy: SettledBy | null;
  /** When it was read back or otherwise settled. */
  readonly settledAt: Date | null;
  /** The consent that Klaviyo held before the run, and since when it held it. */
  readonly consentBefore: string | null;
  readonly consentBeforeAt: Date | null;
  /** The consent that was read back, since when Klaviyo has held it, and when it was read. */
  readonly consentAfter: string | null;
  readonly consentAfterAt: Date | null;
  readonly readAt: Date | null;
  /** When an earlier run asked for the click, if this one did not ask again. */
  readonly askedAt: Date | null;
  /** Whether it went to Klaviyo in a call that was not refused. */
  readonly sent: boolean;
  readonly requestId: string | null;
}

const PAGE_ROWS = 5_000;

const reported = sql`p.row_number as "rowNumber", i.line, coalesce(i.email, i.raw_email) as email,
  coalesce(i.phone_number, i.raw_phone) as "phoneNumber", i.erased, i.country, p.channel, p.operation,
  p.outcome, p.reason, p.settled_by as "settledBy", p.settled_at as "settledAt",
  p.consent_before as "consentBefore", p.consent_before_at as "consentBeforeAt",
  p.consent_after as "consentAfter", p.consent_after_at as "consentAfterAt",
  p.read_at as "readAt", p.asked_at as "askedAt", s.id is not null as sent, s.request_id as "requestId"`;

/** All parts of a migration in source order, one page of rows at a time. */
export async function* reportedParts(
  db: LedgerDb,
  migrationId: string,
): AsyncGenerator<ReportedPart[]> {
  for (let after = 0; ; after += PAGE_ROWS) {
    const page = sql`p.row_number > ${after} and p.row_number <= ${after + PAGE_ROWS}`;
    const rows = await partsWhere(db, migrationId, page, null);
    if (rows.length === 0) return;
    yield rows;
  }
}

/** The first parts that were rejected or never confirmed, in source order. */
export async function problemParts(
  db: LedgerDb,
  migrationId: string,
  limit: number,
): Promise<ReportedPart[]> {
  const isProblem = sql`outcome in ('rejected', 'unconfirmed')`;
  // Their rows first: in the view, the outcomes of all rows would be joined to find a few.
  const rows = sql`array(
    select row_number from consentry.settlement
    where migration_number = ${numberOf(migrationId)} and ${isProblem}
    order by row_number limit ${limit})`;
  return partsWhere(db, migrationId, sql`p.row_number = any(${rows}) and p.${isProblem}`, limit);
}

async function partsWhere(
  db: LedgerDb,
  migrationId: string,
  condition: RawBuilder<unknown>,
  limit: number | null,
): Promise<ReportedPart[]> {
  const { rows } = await sql<ReportedPart>`
    select ${reported}
    from consentry.part p
    join consentry.intent i using (migration_number, row_number)
    left join consentry.submission s on s.id = p.submission_id
    where p.migration_number = ${numberOf(migrationId)} and ${condition}
    order by p.row_number, p.channel
    limit ${limit}`.execute(db);
  return rows;
}

/** Settled parts by outcome in time buckets, from the first to the last settlement. */
export interface SettledOverTime {
  readonly bucketMs: number;
  /** Oldest first; empty buckets are left out. */
  readonly buckets: readonly { readonly at: Date; readonly outcomes: OutcomeCounts }[];
}

/** Bucket widths that are easy to read on an axis, in seconds. */
const BUCKET_SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400,
] as const;

/** @param maxBuckets exceeded only by runs of months, whose buckets are whole days */
export async function settledOverTime(
  db: LedgerDb,
  migrationId: string,
  maxBuckets: number,
): Promise<SettledOverTime> {
  const { rows } = await sql<{ first: Date | null; last: Date | null }>`
    select min(settled_at) as first, max(settled_at) as last
    from consentry.settlement where migration_number = ${numberOf(migrationId)}`.execute(db);
  const { first = null, last = null } = rows[0] ?? {};
  if (first === null || last === null) return { bucketMs: 1_000, buckets: [] };
  const seconds = (last.getTime() - first.getTime()) / 1_000;
  const width = BUCKET_SECONDS.find((each) => seconds / each + 1 <= maxBuckets) ?? 86_400;
  const { rows: counted } = await sql<{ bucket: string; outcome: Outcome; parts: string }>`
    select floor(extract(epoch from settled_at) / ${width}::integer) as bucket, outcome,
      count(*) as parts
    from consentry.settlement
    where migration_number = ${numberOf(migrationId)}
    group by 1, 2 order by 1, 2`.execute(db);
  const buckets = new Map<number, OutcomeCounts>();
  for (const { bucket, outcome, parts } of counted) {
    const at = Number(bucket) * width * 1_000;
    buckets.set(at, { ...buckets.get(at), [outcome]: Number(parts) });
  }
  return {
    bucketMs: width * 1_000,
    buckets: [...buckets].map(([at, outcomes]) => ({ at: new Date(at), outcomes })),
  };
}

/** How many parts went from one consent before the run to one state after it. */
export interface Transition {
  readonly channel: Channel;
  readonly operation: Operation;
  /** Null if Klaviyo held nothing. */
  readonly before: string | null;
  readonly outcome: Outcome | null;
  readonly consentAfter: string | null;
  readonly parts: number;
}

/** Transitions of the parts that were sent. */
export async function countTransitions(db: LedgerDb, migrationId: string): Promise<Transition[]> {
  const { rows } = await sql<Omit<Transition, 'parts'> & { parts: string }>`
    select channel, operation, consent_before as before, outcome, consent_after as "consentAfter",
      count(*) as parts
    from consentry.part
    where migration_number = ${numberOf(migrationId)} and submission_id is not null
    group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5`.execute(db);
  return rows.map((row) => ({ ...row, parts: Number(row.parts) }));
}
