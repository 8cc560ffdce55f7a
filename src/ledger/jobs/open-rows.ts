import { sql, type RawBuilder } from 'kysely';
import type { Channel, Operation } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';
import {
  askedFor,
  consentedAtColumn,
  enumChannel,
  isAddedMembership,
  isSettled,
  joinMembership,
  peopleOf,
  type People,
  joinRowsOfJob,
} from '../parts.js';
import { BLOCK_ROWS } from '../blocks.js';
import { stateOfRows } from './row-states.js';

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

type RowRecord = {
  row_number: number;
  email: string | null;
  raw_email: string | null;
  phone_number: string | null;
  date_of_birth: string | null;
  push_token: string | null;
  push_platform: 'ios' | 'android' | null;
} & { [channel in Channel as `${channel}_operation`]?: Operation | null } & {
  [channel in Channel as `${channel}_consented_at`]?: string | null;
};

/** Intent `i` with the parts that match, as one operation or null for each channel. */
const columns = (
  { channels }: People,
  matches: (channel: Channel) => RawBuilder<unknown>,
): RawBuilder<unknown> => sql`
  i.row_number, i.email, i.raw_email, i.phone_number, i.date_of_birth::text, i.push_token,
  i.push_platform ${sql.join(
    channels.flatMap((channel) => [
      sql`, case when ${matches(channel)} then ${askedFor(channel)} end as ${sql.ref(`${channel}_operation`)}`,
      sql`, to_char(${consentedAtColumn(channel)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        as ${sql.ref(`${channel}_consented_at`)}`,
    ]),
    sql``,
  )}`;

const isOpen = (channel: Channel): RawBuilder<boolean> =>
  sql`${askedFor(channel)} is not null and not ${isSettled(enumChannel(channel))}`;

/**
 * Open rows of one job in source order, without parts under repair.
 */
export async function openRowsOfJob(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
): Promise<OpenRow[]> {
  const people = await peopleOf(db, migrationId);
  const ofJob = (channel: Channel): RawBuilder<unknown> => {
    const own = sql`${askedFor(channel)} = j.operation`;
    return channel === 'list'
      ? sql`(case when ${isAddedMembership} and a.job_number is not null
          then a.job_number = j.job_number else ${own} end)`
      : own;
  };
  const { rows } = await sql<RowRecord>`
    select ${columns(people, (channel) => sql`${ofJob(channel)} and ${isOpen(channel)}`)}
    from consentry.job j
    ${joinRowsOfJob(people.number)}
    ${joinMembership(people)}
    where j.migration_id = ${migrationId} and j.job_number = ${jobNumber}
    order by i.row_number`.execute(db);
  return toOpenRows(db, migrationId, people, rows, { underRepair: false });
}

/** The same with only the parts that are left to submit. */
export async function unsentRowsOfJob(
  db: LedgerDb,
  migrationId: string,
  jobNumber: number,
): Promise<OpenRow[]> {
  return (await openRowsOfJob(db, migrationId, jobNumber)).flatMap(onlyUnsent);
}

/** These rows in source order, with all their open, unsent parts of any job. */
export async function unsentRows(
  db: LedgerDb,
  migrationId: string,
  rowNumbers: readonly number[],
): Promise<OpenRow[]> {
  const people = await peopleOf(db, migrationId);
  const { rows } = await sql<RowRecord>`
    select ${columns(people, isOpen)}
    from unnest(${[...rowNumbers]}::integer[]) as asked (row_number)
    cross join lateral (
      select * from consentry.intent i
      where i.migration_number = ${people.number} and i.row_number = asked.row_number
      offset 0
    ) i
    ${joinMembership(people)}
    order by i.row_number`.execute(db);
  return (await toOpenRows(db, migrationId, people, rows)).flatMap(onlyUnsent);
}

/** The next rows after `afterRow` that have parts waiting for a click, with those parts; of erased people, none. */
export async function pendingRows(
  db: LedgerDb,
  migrationId: string,
  afterRow: number,
  limit: number,
): Promise<OpenRow[]> {
  const people = await peopleOf(db, migrationId);
  const isPending = (channel: Channel) => sql`${enumChannel(channel)} = any(pending.channels)`;
  const { rows } = await sql<RowRecord>`
    select ${columns(people, isPending)}
    from (
      select s.row_number, array_agg(s.channel) as channels
      from consentry.settlement s
      where s.migration_number = ${people.number} and s.row_number > ${afterRow}
        and s.outcome = 'pending_double_opt_in'
        and not exists (select from consentry.intent e where e.migration_number = s.migration_number
          and e.row_number = s.row_number and e.erased offset 0)
      group by s.row_number order by s.row_number limit ${limit}
    ) pending
    cross join lateral (
      select * from consentry.intent i
      where i.migration_number = ${people.number} and i.row_number = pending.row_number
      offset 0
    ) i
    ${joinMembership(people)}
    order by i.row_number`.execute(db);
  return toOpenRows(db, migrationId, people, rows);
}

/** The next open rows after `afterRow` whose consent has not been read yet. */
export async function unreadRows(
  db: LedgerDb,
  migrationId: string,
  afterRow: number,
  limit: number,
): Promise<OpenRow[]> {
  const people = await peopleOf(db, migrationId);
  const operations = people.channels.map((channel) => sql.ref(`${channel}_operation`));
  const { rows } = await sql<RowRecord>`
    select * from (
      select ${columns(people, isOpen)}
      from consentry.intent i
      ${joinMembership(people)}
      where i.migration_number = ${people.number} and i.row_number > ${afterRow}
        and not exists (select from consentry.reading r
          where r.migration_number = i.migration_number
            and r.block = i.row_number / ${sql.lit(BLOCK_ROWS)} and r.rows @> i.row_number offset 0)
      order by i.row_number
    ) open
    where num_nonnulls(${sql.join([sql`null`, ...operations])}) > 0
    order by row_number
    limit ${limit}`.execute(db);
  return toOpenRows(db, migrationId, people, rows);
}

function onlyUnsent(row: OpenRow): OpenRow[] {
  const parts = row.parts.filter(({ unsent }) => unsent);
  return parts.length === 0 ? [] : [{ ...row, parts }];
}

/** @param options.underRepair whether parts count whose person opted out after they were sent */
async function toOpenRows(
  db: LedgerDb,
  migrationId: string,
  { number, channels }: People,
  records: readonly RowRecord[],
  { underRepair = true } = {},
): Promise<OpenRow[]> {
  const asking = records.filter((record) =>
    channels.some((channel) => (record[`${channel}_operation`] ?? null) !== null),
  );
  const states = await stateOfRows(
    db,
    migrationId,
    number,
    asking.map((record) => record.row_number),
  );
  return asking.flatMap((record) => {
    const { row_number: rowNumber } = record;
    const parts = channels.flatMap((channel): OpenPart[] => {
      const operation = record[`${channel}_operation`] ?? null;
      if (operation === null) return [];
      if (!underRepair && states.isBeingRepaired(rowNumber, channel)) return [];
      const call = states.lastCall(rowNumber, channel);
      return [
        {
          channel,
          operation,
          consentedAt: record[`${channel}_consented_at`] ?? null,
          submissionId: call?.id ?? null,
          unsent: call === null || call.status === 'lost',
        },
      ];
    });
    if (parts.length === 0) return [];
    const { consentAgeMs, oneProfile } = states.reading(rowNumber);
    return [
      {
        rowNumber,
        email: record.email,
        rawEmail: record.raw_email,
        phoneNumber: record.phone_number,
        oneProfile,
        consentAgeMs,
        dateOfBirth: record.date_of_birth,
        pushToken:
          record.push_token === null || record.push_platform === null
            ? null
            : { token: record.push_token, platform: record.push_platform },
        parts,
      },
    ];
  });
}
