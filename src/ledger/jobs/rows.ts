import { sql, type RawBuilder } from 'kysely';
import type { Channel, Operation } from '../../contracts/channels.js';
import type { SettledBy, Outcome, Reason } from '../../contracts/outcomes.js';
import type { LedgerDb } from '../database.js';
import { countingOptOuts, identifierOfPart } from '../opt-outs/known.js';
import { lockForCall } from '../runs/steering-lock.js';
import { isBeingRepaired, isUnsent } from './submissions.js';

/** A row with its open parts: what is still to be done for one person. */
export interface OpenRow {
  readonly rowNumber: number;
  readonly email: string | null;
  /** The address as written in the source, where it differs. */
  readonly rawEmail: string | null;
  readonly phoneNumber: string | null;
  /** Whether both identifiers may go to Klaviyo as one profile. */
  readonly oneProfile: boolean;
  /** Milliseconds since the person's consent was read; null if it never was. */
  readonly consentAgeMs: number | null;
  /** `YYYY-MM-DD` */
  readonly dateOfBirth: string | null;
  readonly pushToken: { readonly token: string; readonly platform: 'ios' | 'android' } | null;
  readonly parts: readonly OpenPart[];
}

export interface OpenPart {
  readonly channel: Channel;
  readonly operation: Operation;
  /** RFC 3339 in UTC. */
  readonly consentedAt: string | null;
  /** The last call that carried it; null if it was not sent. */
  readonly submissionId: string | null;
  /** May be sent: it never was, or the answer was lost and the result has been read back. */
  readonly unsent: boolean;
}

interface RowRecord {
  row_number: number;
  email: string | null;
  raw_email: string | null;
  phone_number: string | null;
  one_profile: boolean;
  consent_age_ms: number | null;
  date_of_birth: string | null;
  push_token: string | null;
  push_platform: 'ios' | 'android' | null;
  parts: {
    channel: Channel;
    operation: Operation;
    consented_at: string | null;
    submission_id: string | null;
    unsent: boolean;
  }[];
}

const columns = sql`i.row_number, i.email, i.raw_email, i.phone_number, i.one_profile,
  (extract(epoch from now() - i.consent_read_at) * 1000)::float8 as consent_age_ms, i.date_of_birth::text, i.push_token, i.push_platform, p.parts`;

const partsAsJson = sql`
  json_agg(json_build_object('channel', p.channel, 'operation', p.operation,
    'consented_at', to_char(p.consented_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'submission_id', p.submission_id::text, 'unsent', ${isUnsent}) order by p.channel) as parts`;

/**
 * The parts of row `i` that match; null if none does. The lateral join finds rows first and then
 * their parts by key. The planner's statistics on outcomes and jobs are as old as the last ANALYZE:
 * with a plain join it would read every part of the migration for each thousand rows.
 */
const partsWhere = (matches: RawBuilder<unknown>) => sql`
  lateral (
    select ${partsAsJson} from consentry.intent_part p
    where p.migration_id = i.migration_id and p.row_number = i.row_number and ${matches}
  ) p`;

/** Open rows of one job in source order, without parts under repair. */
export async function openRowsOfJob(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
): Promise<OpenRow[]> {
  const { rows } = await sql<RowRecord>`
    select ${columns}
    from (
      select p.row_number, ${partsAsJson} from consentry.intent_part p
      where p.migration_id = ${migrationId} and p.job_number = ${jobNumber} and p.outcome is null
        and not ${isBeingRepaired}
      group by p.row_number
    ) p
    cross join lateral (
      select * from consentry.intent i
      where i.migration_id = ${migrationId} and i.row_number = p.row_number offset 0
    ) i
    order by i.row_number`.execute(db);
  return rows.map(toOpenRow);
}

/** The same with only the parts that are left to submit. */
export async function unsentRowsOfJob(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
): Promise<OpenRow[]> {
  return (await openRowsOfJob(db, migrationId, jobNumber))
    .map((row) => ({ ...row, parts: row.parts.filter(({ unsent }) => unsent) }))
    .filter((row) => row.parts.length > 0);
}

/** These rows in source order, with all their open, unsent parts of any job. */
export async function unsentRows(
  db: LedgerDb,
  migrationId: string,
  rowNumbers: readonly number[],
): Promise<OpenRow[]> {
  const { rows } = await sql<RowRecord>`
    select ${columns}
    from unnest(${[...rowNumbers]}::integer[]) as asked (row_number)
    cross join lateral (
      select * from consentry.intent i
      where i.migration_id = ${migrationId} and i.row_number = asked.row_number offset 0
    ) i
    cross join ${partsWhere(sql`p.outcome is null and ${isUnsent}`)}
    where p.parts is not null
    order by i.row_number`.execute(db);
  return rows.map(toOpenRow);
}

/** The next rows after `afterRow` that have parts waiting for a click, with those parts. */
export async function pendingRows(
  db: LedgerDb,
  migrationId: string,
  afterRow: number,
  limit: number,
): Promise<OpenRow[]> {
  const { rows } = await sql<RowRecord>`
    select ${columns}
    from (
      select distinct migration_id, row_number from consentry.intent_part
      where migration_id = ${migrationId} and row_number > ${afterRow}
        and outcome = 'pending_double_opt_in'
      order by row_number limit ${limit}
    ) pending
    join consentry.intent i using (migration_id, row_number)
    cross join ${partsWhere(sql`p.outcome = 'pending_double_opt_in'`)}
    order by i.row_number`.execute(db);
  return rows.map(toOpenRow);
}

/** The next open rows after `afterRow` whose consent has not been read yet. */
export async function unreadRows(
  db: LedgerDb,
  migrationId: string,
  afterRow: number,
  limit: number,
): Promise<OpenRow[]> {
  const { rows } = await sql<RowRecord>`
    select ${columns}
    from consentry.intent i
    cross join ${partsWhere(sql`p.outcome is null`)}
    where i.migration_id = ${migrationId} and i.row_number > ${afterRow}
      and i.consent_read_at is null and p.parts is not null
    order by i.row_number
    limit ${limit}`.execute(db);
  return rows.map(toOpenRow);
}

function toOpenRow(row: RowRecord): OpenRow {
  return {
    rowNumber: row.row_number,
    email: row.email,
    rawEmail: row.raw_email,
    phoneNumber: row.phone_number,
    oneProfile: row.one_profile,
    consentAgeMs: row.consent_age_ms,
    dateOfBirth: row.date_of_birth,
    pushToken:
      row.push_token === null || row.push_platform === null
        ? null
        : { token: row.push_token, platform: row.push_platform },
    parts: row.parts.map((part) => ({
      channel: part.channel,
      operation: part.operation,
      consentedAt: part.consented_at,
      submissionId: part.submission_id,
      unsent: part.unsent,
    })),
  };
}

/** What Klaviyo held for a row before the run, as the guard read it. */
export interface ConsentBefore {
  readonly rowNumber: number;
  readonly oneProfile: boolean;
  readonly parts: readonly {
    readonly channel: Channel;
    readonly consent: string | null;
    /** Klaviyo's timestamp of that consent, RFC 3339. */
    readonly at: string | null;
  }[];
}

/**
 * Stores the state before the run with the rows. The state stored first stays the "before".
 *
 * @param tookMs time since the first call of the read, which may have missed later changes
 */
export async function storeConsentBefore(
  db: LedgerDb,
  migrationId: string,
  rows: readonly ConsentBefore[],
  tookMs: number,
): Promise<void> {
  if (rows.length === 0) return;
  // Take this lock before any row lock, as calls do: `askForMembership` follows in the same
  // transaction. In the opposite order, a stop in between would make all three wait for each other.
  await lockForCall(db, migrationId);
  const parts = rows.flatMap((row) =>
    row.parts.map((part) => ({ rowNumber: row.rowNumber, part })),
  );
  await sql`
    update consentry.intent i set
      one_profile = r.one_profile,
      consent_read_at = now() - make_interval(secs => ${tookMs / 1_000})
    from unnest(
      ${rows.map((r) => r.rowNumber)}::integer[], ${rows.map((r) => r.oneProfile)}::boolean[]
    ) as r (row_number, one_profile)
    where i.migration_id = ${migrationId} and i.row_number = r.row_number`.execute(db);
  await sql`
    update consentry.intent_part p set
      consent_before = b.consent, consent_before_at = b.at::timestamptz
    from unnest(
      ${parts.map((p) => p.rowNumber)}::integer[], ${parts.map((p) => p.part.channel)}::text[],
      ${parts.map((p) => p.part.consent)}::text[], ${parts.map((p) => p.part.at)}::text[]
    ) as b (row_number, channel, consent, at)
    where p.migration_id = ${migrationId} and p.row_number = b.row_number
      and p.channel = b.channel::consentry.channel
      and p.consent_before is null and p.submission_id is null`.execute(db);
}

/** A part and how it ended. */
export interface Settlement {
  readonly rowNumber: number;
  readonly channel: Channel;
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly settledBy: SettledBy;
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
  const settled = await settle(
    db,
    migrationId,
    settlements,
    sql`p.outcome is null and not ${isBeingRepaired}`,
  );
  await noteShown(
    db,
    migrationId,
    settlements.filter(({ isOptOut }) => isOptOut === true),
  );
  return settled;
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
    ) as s (row_number, channel)
    join consentry.run on run.id = ${migrationId}
    join consentry.intent i on i.migration_id = run.id and i.row_number = s.row_number
    join consentry.intent_part p on p.migration_id = run.id
      and p.row_number = s.row_number and p.channel = s.channel::consentry.channel
    join ${countingOptOuts} on counting.channel = p.channel
    where o.account_id = run.account_id and o.identifier = ${identifierOfPart}
      and o.channel = counting.by_channel and o.source = 'submission' and o.shown_at is null and o.submission_id <= p.submission_id
      and exists (select from consentry.submission asked
        where asked.id = o.submission_id and asked.migration_id = run.id)`.execute(db);
}

/** Settles parts that the person's consent forbids or already fulfils, unless sent meanwhile. */
export async function settleUnsentParts(
  db: LedgerDb,
  migrationId: string,
  settlements: readonly Settlement[],
): Promise<number> {
  return settle(db, migrationId, settlements, sql`p.outcome is null and p.submission_id is null`);
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
  return settle(
    db,
    migrationId,
    settlements,
    sql`(p.outcome is null or p.outcome in ('confirmed', 'pending_double_opt_in', 'unconfirmed')
      or (p.reason in ('opted_out_during_run', 'unsubscribed_again') and s.reason is distinct from
        p.reason and s.reason in ('unsubscribed_again', 'opt_out_not_read_back')))`,
  );
}

/** Settles parts that wait for a click by what has been read since. */
export async function settlePending(
  db: LedgerDb,
  migrationId: string,
  settlements: readonly Settlement[],
): Promise<number> {
  return settle(db, migrationId, settlements, sql`p.outcome = 'pending_double_opt_in'`);
}

async function settle(
  db: LedgerDb,
  migrationId: string,
  settlements: readonly Settlement[],
  open: RawBuilder<unknown>,
): Promise<number> {
  if (settlements.length === 0) return 0;
  const result = await sql`
    update consentry.intent_part p set
      outcome = s.outcome::consentry.outcome, reason = s.reason, settled_by = s.settled_by,
      settled_at = now(), consent_after = s.consent, consent_after_at = s.at::timestamptz,
      read_at = case when s.consent is not null then now() end
    from unnest(
      ${settlements.map((s) => s.rowNumber)}::integer[], ${settlements.map((s) => s.channel)}::text[],
      ${settlements.map((s) => s.outcome)}::text[], ${settlements.map((s) => s.reason)}::text[],
      ${settlements.map((s) => s.settledBy)}::text[],
      ${settlements.map((s) => s.read?.consent ?? null)}::text[],
      ${settlements.map((s) => s.read?.at ?? null)}::text[]
    ) as s (row_number, channel, outcome, reason, settled_by, consent, at)
    where p.migration_id = ${migrationId} and p.row_number = s.row_number
      and p.channel = s.channel::consentry.channel and ${open}`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}

/**
 * Adds a `list` part to rows of people who already have their consent, so that they join the run's
 * list too. Leaves out rows with an open part, and rows that contain an opt-out or may contain one.
 * Adds nothing to a stopped run: a stop waits for this and then settles what is unsent.
 *
 * @param db a transaction; a stop waits for its end
 * @param jobNumber the job that carries the membership; null before jobs are assigned
 */
export async function askForMembership(
  db: LedgerDb,
  migrationId: string,
  rowNumbers: readonly number[],
  jobNumber: number | null = null,
): Promise<void> {
  if (rowNumbers.length === 0) return;
  await lockForCall(db, migrationId);
  await sql`
    insert into consentry.intent_part (migration_id, row_number, channel, operation, note, job_number,
      consent_before, consent_before_at)
    select ${migrationId}, r.row_number, 'list', 'add_to_list', 'membership_of_consented',
      ${jobNumber}::integer, e.consent_before, e.consent_before_at
    from unnest(${rowNumbers}::integer[]) as r (row_number)
    left join consentry.intent_part e on e.migration_id = ${migrationId}
      and e.row_number = r.row_number and e.channel = 'email'
    where exists (select from consentry.run
        where run.id = ${migrationId} and run.stopped_at is null)
      and not exists (select from consentry.intent_part o
      where o.migration_id = ${migrationId} and o.row_number = r.row_number
        and (o.outcome is null or o.outcome = 'skipped_opted_out'
          or o.operation in ('unsubscribe', 'suppress') or o.reason = 'consent_value_unknown'))
    on conflict do nothing`.execute(db);
}
