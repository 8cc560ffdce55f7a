import { sql } from 'kysely';
import type { Channel, Operation } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';
import type { KnownPart } from './settlements.js';
import {
  carriedWhere,
  isAnyIdentifier,
  isBeingRepaired,
  joinMembership,
  numberOf,
  partsFor,
  partsOfRow,
  peopleOf,
} from '../parts.js';

/** How far one of Klaviyo's feeds has been read, in Klaviyo's own datetimes. */
export interface FeedPlace {
  /** Where the next read begins. */
  readonly since: string;
  /** The newest datetime that was read. */
  readonly newest: string;
  /** The page where the next read begins; null for the first page. */
  readonly cursor: string | null;
}

/** How far the members of the run's list have been read; null before the first read. */
export async function getListFeed(db: LedgerDb, runId: string): Promise<FeedPlace | null> {
  const row = await db
    .selectFrom('list_feed')
    .select(['joined_since', 'newest', 'cursor'])
    .where('run_id', '=', runId)
    .executeTakeFirst();
  if (row === undefined) return null;
  return { since: row.joined_since, newest: row.newest, cursor: row.cursor };
}

export async function setListFeed(
  db: LedgerDb,
  runId: string,
  { since, newest, cursor }: FeedPlace,
): Promise<void> {
  const place = { joined_since: since, newest, cursor };
  await db
    .insertInto('list_feed')
    .values({ run_id: runId, ...place })
    .onConflict((oc) => oc.column('run_id').doUpdateSet(place))
    .execute();
}

/** How far the events of a metric have been read; null before the first read. */
export async function getEventFeed(
  db: LedgerDb,
  runId: string,
  metric: string,
): Promise<FeedPlace | null> {
  const row = await db
    .selectFrom('event_feed')
    .select(['since', 'newest', 'cursor'])
    .where('run_id', '=', runId)
    .where('metric', '=', metric)
    .executeTakeFirst();
  return row ?? null;
}

export async function setEventFeed(
  db: LedgerDb,
  runId: string,
  metric: string,
  place: FeedPlace,
): Promise<void> {
  await db
    .insertInto('event_feed')
    .values({ run_id: runId, metric, ...place })
    .onConflict((oc) => oc.columns(['run_id', 'metric']).doUpdateSet(place))
    .execute();
}

/** A sent part that a reading of Klaviyo can settle, if it is still open: settling finds out. */
export interface WaitingPart {
  readonly rowNumber: number;
  readonly channel: Channel;
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly operation: Operation;
  readonly known: KnownPart;
  /** The earliest time that Klaviyo's clock can have shown at the call; null if unknown. */
  readonly sentAt: Date | null;
}

/**
 * Sent parts of the people with these identifiers, without parts under repair. Those that are
 * settled already are not left out: nearly none are, and to look for each costs more.
 */
export async function waitingParts(
  db: LedgerDb,
  migrationId: string,
  emails: readonly string[],
  phoneNumbers: readonly string[],
): Promise<WaitingPart[]> {
  const people = await peopleOf(db, migrationId);
  const known = [
    ...(emails.length > 0 ? [isAnyIdentifier('email', emails)] : []),
    ...(phoneNumbers.length > 0 ? [isAnyIdentifier('phone_number', phoneNumbers)] : []),
  ];
  if (known.length === 0) return [];
  const { rows } = await sql<{
    row_number: number;
    channel: WaitingPart['channel'];
    email: string | null;
    phone_number: string | null;
    operation: Operation;
    parts_of_row: number;
    job_number: number;
    klaviyo_sent_at: Date | null;
  }>`
    select i.row_number, p.channel, i.email, i.phone_number, p.operation, ${partsOfRow(people)} as parts_of_row, last.job_number,
      last.klaviyo_sent_at
    from (
      select * from consentry.intent i
      where i.migration_number = ${people.number} and (${sql.join(known, sql` or `)})
      offset 0
    ) i
    ${joinMembership(people)}
    cross join lateral ${partsFor(people)}
    cross join lateral (
      select c.job_number, c.klaviyo_sent_at from consentry.carried c
      where ${carriedWhere(sql`i.migration_number`, sql`i.row_number`, sql`p.channel`)}
      order by c.submission_id desc limit 1
    ) last
    where not ${isBeingRepaired(migrationId, sql`i.row_number`)}`.execute(db);
  return rows.map((row) => ({
    rowNumber: row.row_number,
    channel: row.channel,
    email: row.email,
    phoneNumber: row.phone_number,
    operation: row.operation,
    known: { jobNumber: row.job_number, partsOfRow: row.parts_of_row },
    sentAt: row.klaviyo_sent_at,
  }));
}

/** Channels and operations of the parts that were sent and wait for proof. */
export async function waitingKinds(
  db: LedgerDb,
  migrationId: string,
): Promise<{ channel: Channel; operation: Operation }[]> {
  const { rows } = await sql<{ channel: Channel; operation: Operation }>`
    select distinct c.channel, c.operation
    from consentry.migration m
    join consentry.job_channel c on c.migration_number = m.number
    join consentry.job j on j.migration_id = m.id and j.job_number = c.job_number
    where m.id = ${migrationId} and c.settled < c.parts and not isempty(j.sent)
      -- Whatever is open was sent, unless only some of the job was: then its rows tell.
      and (j.sent @> j.row_numbers or exists (
        select from consentry.submission s
        join consentry.carried k on k.submission_id = s.id
        cross join lateral unnest(k.rows) as range (numbers)
        cross join lateral
          generate_series(lower(range.numbers), upper(range.numbers) - 1) as sent (row_number)
        where s.migration_id = j.migration_id and s.job_number = j.job_number
          and k.channel = c.channel and not exists (
            select from consentry.settlement e where e.migration_number = m.number
              and e.row_number = sent.row_number and e.channel = k.channel offset 0)))`.execute(db);
  return rows;
}

/** Jobs without open parts that have not been notified of it yet. */
export async function settledJobs(db: LedgerDb, migrationId: string): Promise<number[]> {
  const { rows } = await sql<{ job_number: number }>`
    select j.job_number from consentry.job j
    where j.migration_id = ${migrationId} and j.woken_at is null
      and not exists (select from consentry.job_channel c
        where c.migration_number = ${numberOf(migrationId)} and c.job_number = j.job_number
          and c.settled < c.parts)
    order by j.job_number`.execute(db);
  return rows.map((row) => row.job_number);
}

export async function markWoken(
  db: LedgerDb,
  migrationId: string,
  jobNumbers: readonly number[],
): Promise<void> {
  if (jobNumbers.length === 0) return;
  await db
    .updateTable('job')
    .set({ woken_at: sql`now()`, look_up_at: null })
    .where('migration_id', '=', migrationId)
    .where('job_number', 'in', jobNumbers)
    .execute();
}
