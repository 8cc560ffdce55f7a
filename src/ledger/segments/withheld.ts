import { sql, type RawBuilder } from 'kysely';
import {
  CHANNELS,
  isConsentChannel,
  OPT_OUTS_OF,
  type ConsentChannel,
} from '../../contracts/channels.js';
import type { SegmentDefinition } from '../../contracts/segments.js';
import { enumChannel } from '../parts.js';
import { columnFor, identifierFor } from '../programs/program-people.js';
import { DOUBTS } from '../runs/conflicts.js';
import type { Storing } from '../runs/storing.js';
import type { Segment } from './segments.js';
import type { SegmentTables } from './tables.js';

/**
 * Finds of which addresses and numbers a row says no to a channel, in a table that lives as long as the
 * transaction: `said_no`. Whose row has none is known by its key.
 */
export async function findSaidNo(
  { run }: Pick<Storing, 'run'>,
  { members }: SegmentTables,
  segment: Segment,
  channels: readonly ConsentChannel[],
): Promise<void> {
  await run(sql`
    create temporary table said_no (channel consentry.channel, identifier text) on commit drop`);
  for (const channel of channels) {
    await run(sql`
      insert into said_no
      select distinct r.channel, v.identifier
      from staged_refused r join staged i using (row_number)
      left join ${members} m on m.segment_number = ${segment.number} and m.key = i.member_key
      cross join lateral (values (${identifierFor(channel)}), (${identifierFor(channel, 'm')})) as v (identifier)
      where r.channel = ${enumChannel(channel)} and r.reason = 'says_no' and v.identifier is not null`);
  }
  await run(sql`analyze said_no`);
}

/** Whether a row says no of what a part is about. */
export const isSaidNo = (part: 'p' | 'q'): RawBuilder<boolean> => sql`
  exists (select from said_no n where n.channel = ${sql.ref(`${part}.channel`)}
    and n.identifier = ${sql.ref(`${part}.identifier`)})`;

/**
 * Finds by which addresses and numbers nobody is asked in this run, whatever the segment says of them, in a
 * table that lives as long as the transaction: `withheld`.
 *
 * - The source says something of them that nobody understands, in any of its rows. It may be an opt-out,
 *   and who is meant by the row is known by its address, by its number, and by its key.
 * - A row has them and does not consent to the channel, whatever another row says. Needs `said_no`.
 * - They opted out after a run of the account had asked for them, and were not read back as unsubscribed, or
 *   not yet. Klaviyo may show them as subscribed, but that is not consent.
 */
export async function findWithheld(
  { run }: Pick<Storing, 'run'>,
  { members }: SegmentTables,
  segment: Segment,
  { accountId, channels }: Pick<SegmentDefinition, 'accountId' | 'channels'>,
): Promise<void> {
  await run(sql`
    create temporary table withheld (channel consentry.channel, identifier text) on commit drop`);
  await run(sql`
    insert into withheld
    with doubtful as (
      select distinct r.channel, v.identifier
      from staged_refused r join staged i using (row_number)
      left join ${members} m on m.segment_number = ${segment.number} and m.key = i.member_key
      cross join lateral (values (i.email), (i.phone_number), (m.email), (m.phone_number)) as v (identifier)
      where r.reason = any(${[...DOUBTS]}::text[]) and v.identifier is not null
    ), theirs as (
      select d.channel, i.email, i.phone_number from doubtful d join staged i on i.email = d.identifier
      union
      select d.channel, i.email, i.phone_number
      from doubtful d join staged i on i.phone_number = d.identifier
      union
      select channel, identifier, null from doubtful
    )
    select distinct channel, v.identifier
    from theirs cross join lateral (values (email), (phone_number)) as v (identifier)
    where v.identifier is not null`);
  await run(sql`insert into withheld select channel, identifier from said_no`);
  for (const channel of channels) {
    await run(sql`
      insert into withheld
      select distinct ${enumChannel(channel)}, ${identifierFor(channel)} from staged i
      where (${columnFor('i', channel, 'operation')} is null or exists (select from staged_refused r
          where r.row_number = i.row_number and r.reason = 'nothing_asked'))
        and ${identifierFor(channel)} is not null`);
  }
  await run(sql`
    insert into withheld
    select distinct p.channel, v.identifier
    from consentry.repair p
    join consentry.run r on r.id = p.migration_id and r.account_id = ${accountId}
    join consentry.migration m on m.id = p.migration_id
    join consentry.intent i on i.migration_number = m.number and i.row_number = p.row_number
    left join consentry.settlement s on s.migration_number = m.number and s.row_number = p.row_number
      and s.channel = p.channel
    cross join lateral (values (i.email), (i.phone_number)) as v (identifier)
    where (s.reason = 'opt_out_not_read_back' or p.closed_at is null) and v.identifier is not null`);
  await run(sql`
    insert into withheld
    select distinct p.channel, p.identifier
    from consentry.segment g join consentry.segment_part p on p.segment_number = g.number
    where g.account_id = ${accountId} and p.reason = 'opt_out_not_read_back'`);
  // An opt-out of one kind of texts is one of both; what is no consent, such as a suppression, is about all.
  const also = CHANNELS.flatMap((channel) =>
    channels
      .filter((each) => !isConsentChannel(channel) || OPT_OUTS_OF[each].includes(channel))
      .filter((each) => each !== channel)
      .map((each) => sql`(${enumChannel(channel)}, ${enumChannel(each)})`),
  );
  if (also.length > 0) {
    await run(sql`
      insert into withheld
      select distinct also.to_channel, w.identifier from withheld w
      join (values ${sql.join(also)}) as also (from_channel, to_channel)
        on also.from_channel = w.channel`);
  }
  await run(sql`analyze withheld`);
}

/** Whether nobody is asked by an identifier for a channel. */
export const isWithheld = (
  channel: ConsentChannel,
  identifier: RawBuilder<unknown>,
): RawBuilder<boolean> => sql`
  exists (select from withheld w where w.channel = ${enumChannel(channel)} and w.identifier = ${identifier})`;
