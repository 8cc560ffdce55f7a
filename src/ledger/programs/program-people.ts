import { sql, type RawBuilder } from 'kysely';
import {
  CONSENT_CHANNELS,
  isPhoneChannel,
  OPT_OUTS_OF,
  type ConsentChannel,
} from '../../contracts/channels.js';
import { keepRows } from '../erasure/rows.js';
import { enumChannel } from '../parts.js';
import type { StoredWithIntents } from '../runs/intents.js';

/** A program, and the channels that it was switched off for. */
export interface SwitchedOff {
  readonly accountId: string;
  readonly program: string;
  readonly channels: readonly ConsentChannel[];
}

/** The transaction that stores a run. */
export type InStore = Parameters<StoredWithIntents>[0];

/** Begins the list of whom other programs ask for at this moment, for one transaction. */
export async function beginAskedNow({ run }: InStore): Promise<void> {
  await run(sql`
    create temporary table asked_now (program text, channel consentry.channel, identifier text)
    on commit drop`);
  await run(sql`create index on asked_now (identifier)`);
}

/** Keeps the people of its former runs from being erased until the transaction ends. */
export async function keepFormerRows(
  { run }: InStore,
  { accountId, program }: SwitchedOff,
): Promise<void> {
  await run(
    keepRows(
      sql`m.program = ${program} and run.account_id = ${accountId} and run.finished_at is not null`,
    ),
  );
}

/** Adds people to it, by their addresses or numbers. */
export async function addAskedNow(
  { run }: InStore,
  program: string,
  channel: ConsentChannel,
  identifiers: readonly string[],
): Promise<void> {
  if (identifiers.length === 0) return;
  await run(sql`
    insert into asked_now
    select ${program}, ${enumChannel(channel)}, unnest(${[...identifiers]}::text[])`);
}

/** What identifies the person of a part of intent `i`. */
export const identifierFor = (
  channel: ConsentChannel,
  row: 'i' | 'm' = 'i',
): RawBuilder<string | null> => {
  const email = sql.ref<string | null>(`${row}.email`);
  const phoneNumber = sql.ref<string | null>(`${row}.phone_number`);
  if (channel === 'push') return sql`coalesce(${email}, ${phoneNumber})`;
  return isPhoneChannel(channel) ? phoneNumber : email;
};

/** It as an address and as a number, one of which is null: two identifiers may be two people by now. */
export const addressAndNumber = (channel: ConsentChannel): RawBuilder<unknown> => sql`
  ${isPhoneChannel(channel) ? sql`null::text` : sql`i.email`} as email,
  ${
    channel === 'push'
      ? sql`case when i.email is null then i.phone_number end`
      : isPhoneChannel(channel)
        ? sql`i.phone_number`
        : sql`null::text`
  } as phone_number`;

/** A column of an intent for a channel. */
export const columnFor = (
  row: 'i' | 'o',
  channel: ConsentChannel,
  name: 'operation' | 'consented_at',
): RawBuilder<unknown> => sql.ref(`${row}.${channel}_${name}`);

/** The runs `m` of a program with their subscribes of a channel that were settled, as `s` and `i`. */
export const subscribesOf = (
  { accountId, program }: SwitchedOff,
  channel: ConsentChannel,
): RawBuilder<unknown> => sql`
  consentry.migration m
  join consentry.run r on r.id = m.id and r.account_id = ${accountId}
  join consentry.settlement s on s.migration_number = m.number and s.channel = ${enumChannel(channel)}
  join consentry.intent i on i.migration_number = s.migration_number and i.row_number = s.row_number
    and ${columnFor('i', channel, 'operation')} = 'subscribe' and ${identifierFor(channel)} is not null
    and m.program = ${program} and m.phase <> 'planned'`;

/**
 * Stores a row to unsubscribe for each person of a query, after the rows that are stored.
 *
 * @param people its columns: channel, email, phone_number, country, raw_email
 * @returns the number of rows
 */
export async function storeUnsubscribes(
  { number, rows, run }: InStore,
  channels: readonly ConsentChannel[],
  people: RawBuilder<unknown>,
): Promise<number> {
  const operations = channels.map((channel) => ({
    column: sql.ref(`${channel}_operation`),
    value: sql`case when ${enumChannel(channel)} = any(channels)
      then 'unsubscribe'::consentry.operation end`,
  }));
  const [stored] = await run<{ rows: number }>(sql`
    with person as (
      select email, phone_number, max(country) as country, max(raw_email) as raw_email,
        array_agg(channel) as channels
      from (${people}) part group by email, phone_number
    ), placed as (
      select *, ${rows}::integer + row_number() over (order by email, phone_number) as place
      from person
    ), stored as (
      insert into consentry.intent (migration_number, row_number, line, email, phone_number,
        country, raw_email, ${sql.join(operations.map(({ column }) => column))})
      select ${number}::integer, place, place, email, phone_number, country, raw_email,
        ${sql.join(operations.map(({ value }) => value))}
      from placed
      returning row_number
    )
    select count(*)::integer as rows from stored`);
  return stored?.rows ?? 0;
}

/** Whom of a run's people others ask for as well, at the moment of its start: parts by channel. */
export async function countAskedNow(
  { number, run }: InStore,
  channels: readonly ConsentChannel[],
): Promise<readonly AskedNow[]> {
  const asked = channels.map(
    (channel) => sql`
      select ${enumChannel(channel)} as channel, count(*)::integer as parts
      from consentry.intent i
      where i.migration_number = ${number} and ${columnFor('i', channel, 'operation')} is not null
        and exists (select from asked_now a
          where a.identifier = ${identifierFor(channel)} and ${endsWith(enumChannel(channel))})`,
  );
  return run<AskedNow>(sql`
    select * from (${sql.join(asked, sql` union all `)}) counted where parts > 0`);
}

/** People of a channel whom another program asks for. */
export interface AskedNow {
  readonly channel: ConsentChannel;
  readonly parts: number;
}

/**
 * Whether consent to channel `a.channel` ends with an unsubscribe from this one: both kinds of texts do. A
 * suppression ends consent to e-mail.
 */
export const endsWith = (channel: RawBuilder<unknown>): RawBuilder<boolean> => sql`
  (case ${sql.join(
    [...CONSENT_CHANNELS, 'suppression' as const].map(
      (each) => sql`when ${channel} = ${enumChannel(each)}
        then a.channel = any(${[...OPT_OUTS_OF[each]]}::consentry.channel[])`,
    ),
    sql` `,
  )} end)`;
