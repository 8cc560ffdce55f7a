import { sql, type RawBuilder } from 'kysely';
import { CONSENT_CHANNELS, type Channel, type ConsentChannel } from '../../contracts/channels.js';
import type { LedgerDb } from '../database.js';
import { carriedWhere, enumChannel, isIdentifierOf, isOfMember } from '../parts.js';
import type { Migration } from '../runs/migrations.js';
import {
  addressAndNumber,
  columnFor,
  endsWith,
  identifierFor,
  keepFormerRows,
  storeUnsubscribes,
  subscribesOf,
  type InStore,
  type SwitchedOff,
} from './program-people.js';

/** How a program gave a consent, as the ledger has it, and whether somebody else counts on it. */
export interface GivenConsent {
  /** The custom source of the call. */
  readonly source: string;
  /** The date that was sent with back-dated consent; null if it was given at the time of the call. */
  readonly consentedAt: Date | null;
  /** The date that a profile showed afterwards; null if only an event proved it. */
  readonly shownAt: Date | null;
  /** Before the call, by Klaviyo's clock. */
  readonly sentAt: Date;
  /** When it had been read back, by Klaviyo's clock. */
  readonly readBackAt: Date;
  /** Another program asks for it, or another run does or did: Klaviyo shows nothing of that. */
  readonly isAskedElsewhere: boolean;
}

/** What one row takes back, by channel. */
export type GivenToRow = ReadonlyMap<Channel, GivenConsent>;

/**
 * Stores a row for everybody to whom the program gave consent: the newest confirmed subscribe of any
 * of its runs, by person and channel. Whoever opted out and was repaired after it is left out. Needs the
 * list of whom others ask for.
 *
 * @returns the number of rows
 */
export async function storeGiven(tx: InStore, off: SwitchedOff): Promise<number> {
  const { number, run } = tx;
  await keepFormerRows(tx, off);
  await run(sql`
    create temporary table given (
      channel consentry.channel, email text, phone_number text, country text, raw_email text,
      source text, consented_at timestamptz, shown_at timestamptz, sent_at timestamptz,
      read_back_at timestamptz
    ) on commit drop`);
  for (const channel of off.channels)
    await run(sql`insert into given ${newestGiven(off, channel)}`);
  const rows = await storeUnsubscribes(
    tx,
    off.channels,
    sql`select channel, email, phone_number, country, raw_email from given`,
  );
  await run(sql`
    insert into consentry.given_consent (migration_number, row_number, channel, source, consented_at,
      shown_at, sent_at, read_back_at, asked_by)
    select i.migration_number, i.row_number, g.channel, g.source, g.consented_at, g.shown_at,
      g.sent_at, g.read_back_at, (
        select min(a.program) from asked_now a
        where a.identifier = coalesce(g.email, g.phone_number) and ${endsWith(sql`g.channel`)})
    from given g
    join consentry.intent i on i.migration_number = ${number}
      and coalesce(i.email, i.phone_number) = coalesce(g.email, g.phone_number)`);
  return rows;
}

/** When the part of a row was first sent, by Klaviyo's clock and by the ledger's: `(sent_at, noted_at)`. */
export const firstCallOf = (
  migrationNumber: RawBuilder<unknown>,
  rowNumber: RawBuilder<unknown>,
  channel: RawBuilder<unknown>,
): RawBuilder<unknown> => sql`(
  select min(coalesce(c.klaviyo_sent_at, b.sent_at)) as sent_at, min(b.sent_at) as noted_at
  from consentry.carried c join consentry.submission b on b.id = c.submission_id
  where ${carriedWhere(migrationNumber, rowNumber, channel)})`;

/** Whether settlement `s` of migration `m` shows that its first call `call` gave the consent. */
export const IS_GIVEN = sql`
  s.outcome = 'confirmed' and s.settled_by in ('events', 'profile_lookup', 'list_members')
  and call.sent_at is not null
  and not exists (select from consentry.repair p
    where p.migration_id = m.id and p.row_number = s.row_number)`;

/** Of such a consent: what a profile showed, when it was sent, and when it had been read back. */
export const GIVEN_TIMES = sql`
  case when s.settled_by in ('profile_lookup', 'list_members') then s.consent_after_at end,
  -- The ledger's clock measures only how long it took.
  call.sent_at, call.sent_at + (s.settled_at - call.noted_at)`;

const newestGiven = (off: SwitchedOff, channel: ConsentChannel): RawBuilder<unknown> => sql`
  select distinct on (${identifierFor(channel)}) ${enumChannel(channel)},
    ${addressAndNumber(channel)}, i.country, i.raw_email, m.settings->>'customSource',
    case when (m.settings->>'historicalImport')::boolean
      then ${columnFor('i', channel, 'consented_at')} end,
    ${GIVEN_TIMES}
  from ${subscribesOf(off, channel)}
  cross join lateral ${firstCallOf(sql`i.migration_number`, sql`i.row_number`, enumChannel(channel))} call
  where ${IS_GIVEN}
  order by ${identifierFor(channel)}, s.settled_at desc`;

/** What rows of a run take back. A row that is missing takes back nothing. */
export async function givenToRows(
  db: LedgerDb,
  { id, accountId, program, settings: { onlyGiven } }: Migration,
  rowNumbers: readonly number[],
): Promise<ReadonlyMap<number, GivenToRow>> {
  const given = new Map<number, Map<Channel, GivenConsent>>();
  if (onlyGiven === undefined || rowNumbers.length === 0) return given;
  const asks = CONSENT_CHANNELS.map(
    (channel) => sql`(${enumChannel(channel)}, ${columnFor('o', channel, 'operation')})`,
  );
  const { rows } = await sql<{
    row_number: number;
    channel: Channel;
    source: string;
    consented_at: Date | null;
    shown_at: Date | null;
    sent_at: Date;
    read_back_at: Date;
    is_asked: boolean;
  }>`
    -- A segment asks for whoever is in it now, whatever its runs asked before: there may be thousands.
    with other as materialized (
      select m.id, m.number, m.program
      from consentry.migration m join consentry.run r on r.id = m.id
      where r.account_id = ${accountId} and m.id <> ${id} and m.phase <> 'planned'
        and not exists (select from consentry.segment e
          where e.account_id = ${accountId} and e.program = m.program)
    ), segment as materialized (
      select e.number from consentry.segment e
      where e.account_id = ${accountId} and e.program is distinct from ${program} and e.ended_at is null
    )
    select g.row_number, g.channel, g.source, g.consented_at, g.shown_at, g.sent_at, g.read_back_at,
      g.asked_by is not null or exists (
        select from segment e
        cross join lateral (
          select from consentry.segment_member m where m.segment_number = e.number
            and (${isOfMember(sql`i.email`)} or ${isOfMember(sql`i.phone_number`)})
          offset 0
        ) m
      ) or exists (
        select from other m
        cross join lateral (
          select * from consentry.intent o where o.migration_number = m.number
            and (${isIdentifierOf('o', 'email', sql`i.email`)}
              or ${isIdentifierOf('o', 'phone_number', sql`i.phone_number`)})
          offset 0
        ) o
        cross join lateral (values ${sql.join(asks)}) as a (channel, operation)
        where a.operation = 'subscribe' and ${endsWith(sql`g.channel`)}
          and (m.program is distinct from ${program}
            or a.channel = any(${[...onlyGiven.stillAsked]}::consentry.channel[]))
          -- Whom that run did not ask in the end does not count.
          and not exists (select from consentry.settlement s where s.migration_number = m.number
            and s.row_number = o.row_number and s.channel = a.channel
            and s.outcome in ('skipped_opted_out', 'rejected', 'cancelled'))
        offset 0) as is_asked
    from consentry.migration own
    join consentry.given_consent g on g.migration_number = own.number
    join consentry.intent i on i.migration_number = g.migration_number
      and i.row_number = g.row_number
    where own.id = ${id} and g.row_number = any(${[...rowNumbers]}::integer[])`.execute(db);
  for (const row of rows) {
    const ofRow = given.get(row.row_number) ?? new Map<Channel, GivenConsent>();
    given.set(row.row_number, ofRow);
    ofRow.set(row.channel, {
      source: row.source,
      consentedAt: row.consented_at,
      shownAt: row.shown_at,
      sentAt: row.sent_at,
      readBackAt: row.read_back_at,
      isAskedElsewhere: row.is_asked,
    });
  }
  return given;
}
