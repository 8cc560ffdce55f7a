import { sql, type RawBuilder } from 'kysely';
import type { BluntLeave, SegmentDefinition } from '../../contracts/segments.js';
import { enumChannel, isOfMember } from '../parts.js';
import { firstCallOf, GIVEN_TIMES, IS_GIVEN } from '../programs/given.js';
import { columnFor } from '../programs/program-people.js';
import type { Storing } from '../runs/storing.js';

/** Parts `l` of `leaving` that their program gave: the run `m`, its row `o`, settlement `s` and first `call`. */
const GIVEN = sql`
  consentry.migration m
  join consentry.intent o on o.migration_number = m.number and o.row_number = l.row_number
  join consentry.settlement s on s.migration_number = m.number and s.row_number = l.row_number
    and s.channel = l.channel
  cross join lateral ${firstCallOf(sql`m.number`, sql`l.row_number`, sql`l.channel`)} call
  where m.number = l.migration_number and ${IS_GIVEN}`;

/** Another segment that has somebody with the identifier of part `l`; null if none has. */
const otherSegment = ({ accountId, program }: SegmentDefinition): RawBuilder<string | null> => sql`(
  select min(g.program) from consentry.segment g
  cross join lateral (select from consentry.segment_member m
    where m.segment_number = g.number and ${isOfMember(sql`l.identifier`)} offset 0) other
  where g.account_id = ${accountId} and g.program <> ${program} and g.ended_at is null)`;

/** Whether the row `r` of a leaver ends what part `l` is about. */
const IS_ENDED = sql`(l.channel = any(r.unsubscribes) or r.is_suppressed and l.channel = 'email')`;

/**
 * Stores how the program gave what its leavers lose, by which it is known again: see `storeGiven`. A suppression
 * takes back consent to e-mail. Needs `leaving` and `leaver`.
 */
export async function storeGivenOf(
  { run }: Pick<Storing, 'run'>,
  definition: SegmentDefinition,
  number: number,
): Promise<void> {
  const sentDate = sql.join(
    definition.channels.map(
      (channel) =>
        sql`when ${enumChannel(channel)} then ${columnFor('o', channel, 'consented_at')}`,
    ),
    sql` `,
  );
  await run(sql`
    insert into consentry.given_consent (migration_number, row_number, channel, source, consented_at,
      shown_at, sent_at, read_back_at, asked_by)
    select ${number}::integer, r.row_number,
      case when l.channel = any(r.unsubscribes) then l.channel else 'suppression' end, gave.*,
      ${otherSegment(definition)}
    from leaving l
    join leaver r on r.key = l.key and r.identifier = l.identifier and ${IS_ENDED}
    cross join lateral (
      select m.settings->>'customSource',
        case when (m.settings->>'historicalImport')::boolean then case l.channel ${sentDate} end end,
        ${GIVEN_TIMES}
      from ${GIVEN}
    ) gave (source, consented_at, shown_at, sent_at, read_back_at)`);
}

/** How many a blunt leave takes out; undefined if the program has none. Needs `leaving`. */
export async function countBlunt(
  { run }: Pick<Storing, 'run'>,
  definition: SegmentDefinition,
): Promise<BluntLeave | undefined> {
  const { does, all = false } = definition.leave;
  if (does !== 'suppress' && !(does === 'unsubscribe' && all)) return undefined;
  const ended = does === 'suppress' ? (['email'] as const) : definition.channels;
  const [counts] = await run<{ people: number; others: number }>(sql`
    select count(distinct l.key)::integer as people,
      count(distinct l.key) filter (where not exists (select from ${GIVEN})
        or ${otherSegment(definition)} is not null)::integer as others
    from leaving l where not l.again and (${all} or not l.says_no)
      and l.channel = any(${[...ended]}::consentry.channel[])`);
  return { does, all, people: counts?.people ?? 0, others: counts?.others ?? 0 };
}
