import { sql, type RawBuilder } from 'kysely';
import type { ConsentChannel } from '../../contracts/channels.js';
import type { Reason } from '../../contracts/outcomes.js';
import type { SegmentDefinition, SegmentFound } from '../../contracts/segments.js';
import { enumChannel, isOfMember } from '../parts.js';
import { columnFor, identifierFor } from '../programs/program-people.js';
import type { Storing } from '../runs/storing.js';
import { NOT_READ_BACK, ON_LIST_STILL } from './fold.js';
import { countBlunt } from './given.js';
import type { Segment } from './segments.js';
import type { SegmentTables } from './tables.js';
import { isSaidNo, isWithheld } from './withheld.js';

/** Whom the guard holds, who has no profile, and who left before they clicked, is looked at again after this. */
const LOOK_AGAIN = sql`interval '1 day'`;

/**
 * Finds what is to be asked at Klaviyo, in tables that live as long as the transaction: `picked`, the parts
 * of staged rows, and `leaving`, the parts of those who are in the segment no more.
 */
export async function findDifference(
  { run }: Pick<Storing, 'run'>,
  tables: SegmentTables,
  segment: Segment,
  definition: SegmentDefinition,
  isBaseline: boolean,
): Promise<Pick<SegmentFound, 'asked' | 'leaving' | 'triedAgain' | 'refused' | 'blunt'>> {
  await run(sql`
    create temporary table picked (row_number integer, channel consentry.channel, again boolean)
    on commit drop`);
  for (const channel of definition.channels) {
    await rename(run, tables, segment, channel);
    await run(picked(tables, segment, definition, channel));
  }
  await run(leaving(tables, segment, definition, isBaseline));
  await run(forgotten(tables, segment));
  await run(sql`analyze picked, leaving`);
  const [counts] = await run<{ asked: number; leaving: number; again: number }>(sql`
    select (select count(distinct row_number)::integer from picked where not again) as asked,
      (select count(distinct key)::integer from leaving where not again) as leaving,
      (select count(distinct row_number)::integer from picked where again)
        + (select count(distinct key)::integer from leaving where again) as again`);
  const blunt = await countBlunt({ run }, definition);
  const refused = await run<{ reason: Reason; parts: number }>(sql`
    select reason, count(*)::integer as parts from staged_refused group by reason order by reason`);
  return {
    asked: counts?.asked ?? 0,
    leaving: counts?.leaving ?? 0,
    triedAgain: counts?.again ?? 0,
    refused: Object.fromEntries(refused.map(({ reason, parts }) => [reason, parts])),
    ...(blunt === undefined ? {} : { blunt }),
  };
}

/**
 * Somebody who has another key now is the same person: nobody counts as leaving and entering in one run.
 * Several keys with one identifier may become one: the part that proves most remains, and before all an opt-out
 * that could not be read back.
 */
async function rename(
  run: Storing['run'],
  { parts }: SegmentTables,
  segment: Segment,
  channel: ConsentChannel,
): Promise<void> {
  const ofPart = sql`p.segment_number = ${segment.number} and p.channel = ${enumChannel(channel)}`;
  const hasOtherKey = sql`not exists (select from staged o where o.member_key = p.key
    and p.identifier in (o.email, o.phone_number))`;
  await run(sql`
    create temporary table renamed on commit drop as
    with moved as materialized (
      select p.identifier, min(i.member_key) as key
      from ${parts} p join staged i on ${identifierFor(channel)} = p.identifier
      where ${ofPart} and p.key <> i.member_key and ${hasOtherKey}
      group by p.identifier
    )
    select p.key, p.identifier, moved.key as new_key, row_number() over (partition by p.identifier
      order by ${NOT_READ_BACK} desc, p.state = 'in' desc, p.may_be_at_klaviyo desc, p.since, p.key) as place
    from moved join ${parts} p on p.identifier = moved.identifier
    where ${ofPart} and (p.key = moved.key or ${hasOtherKey})`);
  await run(sql`
    delete from ${parts} p using renamed n
    where n.place > 1 and ${ofPart} and p.key = n.key and p.identifier = n.identifier`);
  await run(sql`
    update ${parts} p set key = n.new_key from renamed n
    where n.place = 1 and n.key <> n.new_key and ${ofPart} and p.key = n.key
      and p.identifier = n.identifier`);
  await run(sql`drop table renamed`);
}

const picked = (
  { parts }: SegmentTables,
  segment: Segment,
  { askAgainDays }: SegmentDefinition,
  channel: ConsentChannel,
): RawBuilder<unknown> => sql`
  insert into picked
  select i.row_number, ${enumChannel(channel)}, p.key is not null
  from staged i
  left join ${parts} p on p.segment_number = ${segment.number} and p.key = i.member_key
    and p.channel = ${enumChannel(channel)} and p.identifier = ${identifierFor(channel)}
  where ${columnFor('i', channel, 'operation')} = 'subscribe' and ${identifierFor(channel)} is not null
    and not exists (select from staged_refused r
      where r.row_number = i.row_number and r.channel = ${enumChannel(channel)})
    and not ${isWithheld(channel, identifierFor(channel))}
    and (p.key is null or p.state in ('failed', 'leaving')
      or p.state = 'asked' and p.since <= now() - make_interval(days => ${askAgainDays}::integer)
      or p.state in ('held', 'absent') and p.tried_at <= now() - ${LOOK_AGAIN})`;

/**
 * Parts that may be at Klaviyo, and that nobody in the segment has any more by address or number, or whose row
 * says no to their channel. With whether their list is left: not if another segment has them on the same one; nor
 * by a former number of somebody who was asked by their address as well, or the other way round, since the
 * profile may have both; nor by a no of somebody who is in by another channel.
 */
const leaving = (
  tables: SegmentTables,
  segment: Segment,
  definition: SegmentDefinition,
  isBaseline: boolean,
): RawBuilder<unknown> => {
  const { members, parts } = tables;
  const { listId, leave } = definition;
  const ofMember = sql`m.segment_number = ${segment.number} and m.key = p.key`;
  const leavesList = sql`case when l.says_no then not (${isInBesides(tables, segment)})
    else ${leave.does !== 'nothing'} and not (${isInByTheOther(tables, segment)}) end`;
  return sql`
  create temporary table leaving on commit drop as
  select p.key, p.channel, p.identifier, p.state = 'leaving' as again, p.migration_number, p.row_number, l.says_no,
    ${listId === null ? sql`false` : sql`${leavesList} and not ${isOnListOfAnother(segment, definition)}`} as leaves_list,
    exists (select from ${members} m where ${ofMember}) as is_former
  from ${parts} p
  cross join lateral (select ${isSaidNo('p')} as says_no) l
  where p.segment_number = ${segment.number} and ${!isBaseline}
    and p.may_be_at_klaviyo
    -- Until the key is no member's any more, or by a no of which nothing else is left.
    and not (p.reason is not distinct from ${ON_LIST_STILL}
      and exists (select from ${members} m where ${ofMember})
      and not (l.says_no and not (${isInBesides(tables, segment)})))
    and (p.state <> 'leaving' or p.reason is distinct from 'no_click_yet'
      or p.tried_at <= now() - ${LOOK_AGAIN})
    and (l.says_no
      or not exists (select from ${members} m
          where ${ofMember} and p.identifier in (m.email, m.phone_number))
        and not exists (select from ${members} m
          where m.segment_number = ${segment.number} and ${isOfMember(sql`p.identifier`)}
          -- By key for each: hardly anybody comes this far.
          offset 0))`;
};

/** Parts `q` of the member `m` with the key of part `p` that may be at Klaviyo, and stay there. */
const ofItsMember = (
  { members, parts }: SegmentTables,
  { number }: Segment,
): RawBuilder<unknown> => sql`
  select from ${members} m join ${parts} q on q.segment_number = m.segment_number
    and q.key = m.key and q.identifier in (m.email, m.phone_number)
  where m.segment_number = ${number} and m.key = p.key and q.may_be_at_klaviyo
    and not ${isSaidNo('q')}`;

/** By the address, if it is about a number, or the other way round. */
const isInByTheOther = (tables: SegmentTables, segment: Segment): RawBuilder<boolean> => sql`
  exists (${ofItsMember(tables, segment)}
    and (position('@' in q.identifier) > 0) <> (position('@' in p.identifier) > 0))`;

/** By another channel, or about to be asked for one. */
const isInBesides = (tables: SegmentTables, segment: Segment): RawBuilder<boolean> => sql`
  exists (${ofItsMember(tables, segment)})
  or exists (select from picked k join staged i using (row_number) where i.member_key = p.key)`;

const isOnListOfAnother = (
  segment: Segment,
  { listId, accountId }: SegmentDefinition,
): RawBuilder<boolean> => sql`
  exists (
    select from consentry.segment g
    cross join lateral (select from consentry.segment_member m
      where m.segment_number = g.number and ${isOfMember(sql`p.identifier`)} offset 0) other
    where g.account_id = ${accountId} and g.number <> ${segment.number}
      and g.list_id = ${listId} and g.ended_at is null)`;

/** What the segment does not have any more, by a key or an address, and is not at Klaviyo because of it. */
const forgotten = ({ members, parts }: SegmentTables, segment: Segment): RawBuilder<unknown> => sql`
  delete from ${parts} p
  where p.segment_number = ${segment.number} and not p.may_be_at_klaviyo
    and p.reason is distinct from 'opt_out_not_read_back'
    and not exists (select from ${members} m
      where m.segment_number = ${segment.number} and m.key = p.key
        and p.identifier in (m.email, m.phone_number))
    and not exists (select from leaving l where l.key = p.key and l.channel = p.channel
      and l.identifier = p.identifier)`;
