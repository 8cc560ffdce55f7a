import { sql, type RawBuilder } from 'kysely';
import type { ConsentChannel } from '../../contracts/channels.js';
import type { Reason } from '../../contracts/outcomes.js';
import type { SegmentDefinition, SegmentFound } from '../../contracts/segments.js';
import { enumChannel, isOfMember } from '../parts.js';
import { columnFor, identifierFor } from '../programs/program-people.js';
import type { Storing } from '../runs/storing.js';
import type { Segment } from './segments.js';
import type { SegmentTables } from './tables.js';

/** Whom the guard holds, and who has no profile, is looked at again after this. */
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
): Promise<Pick<SegmentFound, 'leaving' | 'triedAgain' | 'refused'>> {
  await run(sql`
    create temporary table picked (row_number integer, channel consentry.channel, again boolean)
    on commit drop`);
  for (const channel of definition.channels) {
    await run(renamed(tables, segment, channel));
    await run(picked(tables, segment, definition, channel));
  }
  await run(leaving(tables, segment, definition, isBaseline));
  await run(forgotten(tables, segment));
  await run(sql`analyze picked, leaving`);
  const [counts] = await run<{ leaving: number; again: number }>(sql`
    select (select count(distinct key)::integer from leaving where not again) as leaving,
      (select count(distinct row_number)::integer from picked where again)
        + (select count(distinct key)::integer from leaving where again) as again`);
  const refused = await run<{ reason: Reason; parts: number }>(sql`
    select reason, count(*)::integer as parts from staged_refused group by reason order by reason`);
  return {
    leaving: counts?.leaving ?? 0,
    triedAgain: counts?.again ?? 0,
    refused: Object.fromEntries(refused.map(({ reason, parts }) => [reason, parts])),
  };
}

/** Somebody who has another key now is the same person: nobody counts as leaving and entering in one run. */
const renamed = (
  { parts }: SegmentTables,
  segment: Segment,
  channel: ConsentChannel,
): RawBuilder<unknown> => sql`
  update ${parts} p set key = n.member_key
  from (
    select distinct on (p.key, p.identifier) p.key, p.identifier, i.member_key
    from ${parts} p
    join staged i on ${identifierFor(channel)} = p.identifier
    where p.segment_number = ${segment.number} and p.channel = ${enumChannel(channel)}
      and p.key <> i.member_key
      and not exists (select from staged o where o.member_key = p.key
        and p.identifier in (o.email, o.phone_number))
      and not exists (select from ${parts} q where q.segment_number = ${segment.number}
        and q.key = i.member_key and q.channel = p.channel and q.identifier = p.identifier)
    order by p.key, p.identifier, i.member_key
  ) n
  where p.segment_number = ${segment.number} and p.channel = ${enumChannel(channel)}
    and p.key = n.key and p.identifier = n.identifier`;

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
    and (p.key is null or p.state in ('failed', 'leaving')
      or p.state = 'asked' and p.since <= now() - make_interval(days => ${askAgainDays}::integer)
      or p.state in ('held', 'absent') and p.tried_at <= now() - ${LOOK_AGAIN})`;

/**
 * Parts that are at Klaviyo, or may be, and that nobody in the segment has any more by address or number. With
 * whether their list is left: not if another segment has them on the same one, nor by a former number of
 * somebody who is still a member, whose profile may still have it.
 */
const leaving = (
  { members, parts }: SegmentTables,
  segment: Segment,
  { listId, accountId }: SegmentDefinition,
  isBaseline: boolean,
): RawBuilder<unknown> => sql`
  create temporary table leaving on commit drop as
  select p.key, p.channel, p.identifier, p.state = 'leaving' as again, p.migration_number, p.row_number,
    ${
      listId === null
        ? sql`false`
        : sql`(position('@' in p.identifier) > 0 or not exists (
            select from ${members} m
            where m.segment_number = ${segment.number} and m.key = p.key))
          and not exists (
            select from consentry.segment g
            join consentry.segment_member m on m.segment_number = g.number
            where g.account_id = ${accountId} and g.number <> ${segment.number} and g.list_id = ${listId}
              and ${isOfMember(sql`p.identifier`)}
            offset 0)`
    } as leaves_list
  from ${parts} p
  where p.segment_number = ${segment.number} and ${!isBaseline}
    and (p.state in ('in', 'asked', 'leaving')
      or p.state = 'failed' and p.reason = 'not_seen_before_deadline')
    and not exists (select from ${members} m
      where m.segment_number = ${segment.number} and m.key = p.key
        and p.identifier in (m.email, m.phone_number))
    and not exists (select from ${members} m
      where m.segment_number = ${segment.number} and ${isOfMember(sql`p.identifier`)}
      -- By key for each: hardly anybody comes this far.
      offset 0)`;

/** Whoever is in the segment no more, and is not at Klaviyo because of it. */
const forgotten = ({ members, parts }: SegmentTables, segment: Segment): RawBuilder<unknown> => sql`
  delete from ${parts} p
  where p.segment_number = ${segment.number} and p.state in ('held', 'absent', 'failed')
    and not exists (select from ${members} m
      where m.segment_number = ${segment.number} and m.key = p.key)
    and not exists (select from leaving l where l.key = p.key and l.channel = p.channel
      and l.identifier = p.identifier)`;
