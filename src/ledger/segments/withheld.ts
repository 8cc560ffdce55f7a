import { sql, type RawBuilder } from 'kysely';
import { CHANNELS, isConsentChannel, type ConsentChannel } from '../../contracts/channels.js';
import type { SegmentDefinition } from '../../contracts/segments.js';
import { enumChannel } from '../parts.js';
import { DOUBTS } from '../runs/conflicts.js';
import type { Storing } from '../runs/storing.js';

/**
 * Finds by which addresses and numbers nobody is asked in this run, whatever the segment says of them, in a
 * table that lives as long as the transaction: `withheld`.
 *
 * - The source says something of them that nobody understands, in any of its rows. It may be an opt-out,
 *   and who is meant by the row is known by its address and by its number.
 * - They opted out after a run of the account had asked for them, and were not read back as unsubscribed, or
 *   not yet. Klaviyo may show them as subscribed, but that is not consent.
 */
export async function findWithheld(
  { run }: Pick<Storing, 'run'>,
  { accountId, channels }: Pick<SegmentDefinition, 'accountId' | 'channels'>,
): Promise<void> {
  await run(sql`
    create temporary table withheld (channel consentry.channel, identifier text) on commit drop`);
  await run(sql`
    insert into withheld
    with doubtful as (
      select distinct r.channel, v.identifier
      from staged_refused r join staged i using (row_number)
      cross join lateral (values (i.email), (i.phone_number)) as v (identifier)
      where r.reason = any(${[...DOUBTS]}::text[]) and v.identifier is not null
    ), theirs as (
      select d.channel, i.email, i.phone_number from doubtful d join staged i on i.email = d.identifier
      union
      select d.channel, i.email, i.phone_number
      from doubtful d join staged i on i.phone_number = d.identifier
    )
    select distinct channel, v.identifier
    from theirs cross join lateral (values (email), (phone_number)) as v (identifier)
    where v.identifier is not null`);
  await run(sql`
    insert into withheld
    select distinct s.channel, v.identifier
    from consentry.repair p
    join consentry.run r on r.id = p.migration_id and r.account_id = ${accountId}
    join consentry.migration m on m.id = p.migration_id
    join consentry.settlement s on s.migration_number = m.number and s.row_number = p.row_number
    join consentry.intent i on i.migration_number = m.number and i.row_number = p.row_number
    cross join lateral (values (i.email), (i.phone_number)) as v (identifier)
    where (s.reason = 'opt_out_not_read_back' or p.closed_at is null) and v.identifier is not null`);
  // What is not consent to a channel, such as a suppression, is about all of them.
  const others = CHANNELS.filter((channel) => !isConsentChannel(channel));
  await run(sql`
    insert into withheld
    select distinct c.channel, w.identifier from withheld w
    cross join unnest(${[...channels]}::consentry.channel[]) as c (channel)
    where w.channel = any(${others}::consentry.channel[])`);
  await run(sql`analyze withheld`);
}

/** Whether nobody is asked by an identifier for a channel. */
export const isWithheld = (
  channel: ConsentChannel,
  identifier: RawBuilder<unknown>,
): RawBuilder<boolean> => sql`
  exists (select from withheld w where w.channel = ${enumChannel(channel)} and w.identifier = ${identifier})`;
