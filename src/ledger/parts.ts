import { sql, type RawBuilder } from 'kysely';
import { CHANNELS, type Channel } from '../contracts/channels.js';
import { BLOCK_ROWS } from './blocks.js';
import type { LedgerDb } from './database.js';
import { MigrationNotFoundError } from './runs/migrations.js';

/*
 * Fragments of SQL about the parts of a row. They refer to an intent `i` and, where they say so, to
 * the membership `a` that the guard may have added to it.
 */

/** How the people of a migration are found. */
export interface People {
  /** The key of their rows. */
  readonly number: number;
  /** The channels that any of them has a part for, in the order of `CHANNELS`. */
  readonly channels: readonly Channel[];
}

/** @throws MigrationNotFoundError */
export async function peopleOf(db: LedgerDb, migrationId: string): Promise<People> {
  const row = await db
    .selectFrom('migration')
    .select(['number', 'channels'])
    .where('id', '=', migrationId)
    .executeTakeFirst();
  if (row === undefined) throw new MigrationNotFoundError(migrationId);
  return { number: row.number, channels: CHANNELS.filter((each) => row.channels.includes(each)) };
}

/** The key of a migration's people, for queries that name no channels. */
export const numberOf = (migrationId: string): RawBuilder<number> =>
  sql`(select number from consentry.migration where id = ${migrationId})`;

export const enumChannel = (channel: Channel): RawBuilder<Channel> =>
  sql`${sql.lit(channel)}::consentry.channel`;

export const consentedAtColumn = (channel: Channel): RawBuilder<unknown> =>
  sql.raw(`i.${channel}_consented_at`);

/** Whether an identifier of intent `i` is this one. By the index, which has a hash of it. */
export const isIdentifier = (
  column: 'email' | 'phone_number',
  value: RawBuilder<unknown>,
): RawBuilder<boolean> => isIdentifierOf('i', column, value);

/** The same of another row with these columns: an intent, or a member of a segment. */
export const isIdentifierOf = (
  row: 'i' | 'o' | 'm',
  column: 'email' | 'phone_number',
  value: RawBuilder<unknown>,
): RawBuilder<boolean> => sql`
  (hashtext(${sql.ref(`${row}.${column}`)}) = hashtext(${value})
    and ${sql.ref(`${row}.${column}`)} = ${value})`;

/** Whether member `m` of a segment has this identifier. */
export const isOfMember = (identifier: RawBuilder<unknown>): RawBuilder<boolean> => sql`
  (${isIdentifierOf('m', 'email', identifier)} or ${isIdentifierOf('m', 'phone_number', identifier)})`;

/** The same for any of several. */
export const isAnyIdentifier = (
  column: 'email' | 'phone_number',
  values: readonly string[],
): RawBuilder<boolean> => sql`
  (hashtext(${sql.ref(`i.${column}`)}) = any(array(
      select hashtext(value) from unnest(${values}::text[]) as given (value)))
    and ${sql.ref(`i.${column}`)} = any(${values}::text[]))`;

/** Joins the rows of job `j` as intent `i`, found by key. */
export const joinRowsOfJob = (number: number): RawBuilder<unknown> => sql`
  cross join lateral unnest(j.row_numbers) as range (numbers)
  cross join lateral (
    select * from consentry.intent i
    where i.migration_number = ${number}
      and i.row_number >= lower(range.numbers) and i.row_number < upper(range.numbers)
    offset 0
  ) i`;

/** Joins the membership `a` of intent `i`. */
export const joinMembership = ({ channels }: People): RawBuilder<unknown> =>
  channels.includes('list')
    ? sql`left join consentry.membership a on a.migration_number = i.migration_number
        and a.row_number = i.row_number`
    : sql`cross join (values (null::integer, null::integer)) as a (row_number, job_number)`;

/** Whether the list part of the row is a membership that the guard added. Needs `a`. */
export const isAddedMembership = sql`(a.row_number is not null and i.list_operation is null)`;

/** What the row asks for a channel; null if nothing. Needs `a`. */
export const askedFor = (channel: Channel): RawBuilder<unknown> =>
  channel === 'list'
    ? sql`coalesce(i.list_operation,
        case when a.row_number is not null then 'add_to_list'::consentry.operation end)`
    : sql.raw(`i.${channel}_operation`);

/** What the row asks for the channel that `channel`, an expression, says. Needs `a`. */
export const askedForWhichever = (
  { channels }: People,
  channel: RawBuilder<unknown>,
): RawBuilder<unknown> => sql`
  case ${sql.join(
    [
      ...channels.map((each) => sql`when ${channel} = ${enumChannel(each)} then ${askedFor(each)}`),
      sql`when false then null::consentry.operation`,
    ],
    sql` `,
  )} end`;

/** Whether part `p` was made or added for job `j`. Needs `a`; it may have ended before. */
export const isForJob: RawBuilder<boolean> = sql`
  (case when p.channel = 'list' and ${isAddedMembership} and a.job_number is not null
    then a.job_number = j.job_number else p.operation = j.operation end)`;

/** How many parts the row has. Needs `a`. */
export const partsOfRow = ({ channels }: People): RawBuilder<number> => sql`
  num_nonnulls(${sql.join([sql`null`, ...channels.map(askedFor)])})`;

const settlementOf = (channel: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  select from consentry.settlement s where s.migration_number = i.migration_number
    and s.row_number = i.row_number and s.channel = ${channel}`;

/**
 * Whether the row's part for a channel has an outcome. Found by key, row for row, as everything
 * here that ends in `offset 0`: the planner's statistics are as old as the last ANALYZE, and with a
 * plain join it could read all outcomes of a migration for each thousand rows.
 */
export const isSettled = (channel: RawBuilder<unknown>): RawBuilder<boolean> =>
  sql`exists (${settlementOf(channel)} offset 0)`;

/** The same for a query that reads all rows of a migration. */
export const isAmongSettled = (channel: RawBuilder<unknown>): RawBuilder<boolean> =>
  sql`exists (${settlementOf(channel)})`;

/** The calls `c` that carry, or may have carried, the part of this row and channel. */
export const carriedWhere = (
  migrationNumber: RawBuilder<unknown>,
  rowNumber: RawBuilder<unknown>,
  channel: RawBuilder<unknown>,
): RawBuilder<boolean> => sql`c.migration_number = ${migrationNumber}
  and c.block = ${rowNumber} / ${sql.lit(BLOCK_ROWS)} and c.channel = ${channel}
  and c.rows @> ${rowNumber}`;

/** Whether a call carries, or may have carried, the row's part for a channel. */
export const isSent = (channel: RawBuilder<unknown>): RawBuilder<boolean> => sql`exists (
  select from consentry.carried c
  where ${carriedWhere(sql`i.migration_number`, sql`i.row_number`, channel)} offset 0)`;

/** The newest reading of row `i`: when, and whether it found two people. No row if none. */
export const newestReading: RawBuilder<unknown> = sql`(
  select r.read_at, r.two_profiles @> i.row_number as two_profiles from consentry.reading r
  where r.migration_number = i.migration_number and r.block = i.row_number / ${sql.lit(BLOCK_ROWS)}
    and r.rows @> i.row_number
  order by r.read_at desc limit 1)`;

/**
 * The parts as rows `p (channel, operation, consented_at, note)` of intent `i`, which it is joined
 * to laterally. Needs `a`.
 *
 * @param among only for these channels
 */
export const partsFor = (
  { channels }: People,
  among: readonly Channel[] = channels,
): RawBuilder<unknown> => {
  const parts = channels
    .filter((channel) => among.includes(channel))
    .map(
      (channel) => sql`(${enumChannel(channel)}, ${askedFor(channel)},
        ${consentedAtColumn(channel)}, ${sql.raw(`i.${channel}_note`)})`,
    );
  const nothing = sql`(null::consentry.channel, null::consentry.operation, null::timestamptz, null)`;
  return sql`
    (select * from (values ${sql.join(parts.length > 0 ? parts : [nothing])})
      as part (channel, operation, consented_at, note) where part.operation is not null) as p`;
};

/** The person of part `p` opted out after it was sent: see `repairs.ts`. They are few. */
export const isBeingRepaired = (
  migrationId: string,
  rowNumber: RawBuilder<unknown> = sql`p.row_number`,
): RawBuilder<boolean> => sql`
  (${rowNumber}, p.channel) in (select r.row_number, r.channel from consentry.repair r
    where r.migration_id = ${migrationId} and r.closed_at is null)`;
