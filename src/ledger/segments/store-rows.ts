import { sql, type RawBuilder } from 'kysely';
import type { Channel, ConsentChannel } from '../../contracts/channels.js';
import type { SegmentDefinition } from '../../contracts/segments.js';
import { enumChannel } from '../parts.js';
import { PERSONAL_COLUMNS } from '../runs/intents.js';
import type { Storing } from '../runs/storing.js';
import { NOT_READ_BACK, ON_LIST_STILL } from './fold.js';
import { storeGivenOf } from './given.js';
import type { SegmentTables } from './tables.js';
import type { Segment } from './segments.js';

/** Stores a row for each person of `picked` and each address or number of `leaving`. */
export async function storeRows(
  storing: Pick<Storing, 'run'>,
  tables: SegmentTables,
  segment: Segment,
  definition: SegmentDefinition,
  number: number,
): Promise<{ readonly rows: number; readonly channels: readonly Channel[] }> {
  const { run } = storing;
  const { channels, leave } = definition;
  const entered = await countOf(run, entering(channels, number));
  await run(outOf(definition, entered));
  await run(sql`analyze leaver`);
  const left = await countOf(run, leavers(definition, number));
  if (leave.all === undefined) await storeGivenOf(storing, definition, number);
  const isOfPart = sql`p.segment_number = ${segment.number} and p.key = l.key
    and p.channel = l.channel and p.identifier = l.identifier`;
  const hasRow = sql`exists (select from leaver r where r.key = l.key and r.identifier = l.identifier)`;
  // Until a run proves that they are out.
  await run(sql`
    update ${tables.parts} p set state = 'leaving', tried_at = now(),
      since = case when p.state = 'leaving' then p.since else now() end
    from leaving l where ${isOfPart} and ${hasRow}`);
  // Those for whom there is nothing to do are out now; those whose member is on the list by another
  // identifier, when that leaves. An opt-out that could not be read back stays known.
  const isHeld = sql`(${NOT_READ_BACK} or l.is_former and ${leave.does !== 'nothing'})`;
  await run(sql`
    update ${tables.parts} p set state = 'held', tried_at = now(),
      may_be_at_klaviyo = not ${NOT_READ_BACK},
      reason = case when ${NOT_READ_BACK} then p.reason else ${ON_LIST_STILL} end
    from leaving l where ${isOfPart} and not ${hasRow} and ${isHeld}`);
  await run(sql`
    delete from ${tables.parts} p using leaving l
    where ${isOfPart} and not ${hasRow} and not ${isHeld}`);
  const alsoLeft: Channel[] = leave.does === 'suppress' ? ['list', 'suppression'] : ['list'];
  return { rows: entered + left, channels: left > 0 ? [...channels, ...alsoLeft] : channels };
}

async function countOf(run: Storing['run'], insert: RawBuilder<unknown>): Promise<number> {
  const [stored] = await run<{ rows: number }>(sql`
    with stored as (${insert} returning row_number) select count(*)::integer as rows from stored`);
  return stored?.rows ?? 0;
}

const entering = (channels: readonly ConsentChannel[], number: number): RawBuilder<unknown> => {
  const asked = channels.flatMap((channel) =>
    (['operation', 'consented_at', 'note'] as const).map((name) => ({
      column: sql.ref(`${channel}_${name}`),
      value: sql`case when ${enumChannel(channel)} = any(k.channels)
        then ${sql.ref(`i.${channel}_${name}`)} end`,
    })),
  );
  const personal = PERSONAL_COLUMNS.map((column) => sql.ref(column));
  return sql`
    insert into consentry.intent (migration_number, row_number, line, ${sql.join(personal)},
      ${sql.join(asked.map(({ column }) => column))})
    select ${number}::integer, row_number() over (order by i.row_number), i.line,
      ${sql.join(PERSONAL_COLUMNS.map((column) => sql.ref(`i.${column}`)))},
      ${sql.join(asked.map(({ value }) => value))}
    from staged i
    join (
      select row_number, array_agg(channel) as channels from picked group by row_number
    ) k using (row_number)`;
};

/**
 * The rows of those who leave, in a table that lives as long as the transaction: one for each address and number,
 * which may be two people by now. With the channels that are unsubscribed from, and whether the address is
 * suppressed. Whoever says no to a channel is unsubscribed from it, whatever becomes of whoever leaves.
 */
const outOf = (
  { channels, leave: { does } }: SegmentDefinition,
  before: number,
): RawBuilder<unknown> => sql`
  create temporary table leaver on commit drop as
  select l.*, (${before}::integer + row_number() over (order by l.key, l.identifier))::integer as row_number
  from (
    select key, identifier, bool_or(leaves_list) as leaves_list,
      array_agg(channel) filter (where (says_no or ${does === 'unsubscribe'})
        and channel = any(${[...channels]}::consentry.channel[])) as unsubscribes,
      ${does === 'suppress'} and bool_or(channel = 'email' and not says_no) as is_suppressed
    from leaving group by key, identifier
  ) l
  where l.leaves_list or l.unsubscribes is not null or l.is_suppressed`;

const leavers = ({ channels }: SegmentDefinition, number: number): RawBuilder<unknown> => {
  const operation = (channel: ConsentChannel) =>
    sql`case when ${enumChannel(channel)} = any(l.unsubscribes) then 'unsubscribe'::consentry.operation end`;
  const isAddress = sql`position('@' in l.identifier) > 0`;
  return sql`
    insert into consentry.intent (migration_number, row_number, line, email, phone_number, member_key,
      list_operation, suppression_operation,
      ${sql.join(channels.map((channel) => sql.ref(`${channel}_operation`)))})
    select ${number}::integer, l.row_number, 0, case when ${isAddress} then l.identifier end,
      case when not (${isAddress}) then l.identifier end, l.key,
      case when l.leaves_list then 'remove_from_list'::consentry.operation end,
      case when l.is_suppressed then 'suppress'::consentry.operation end,
      ${sql.join(channels.map(operation))}
    from leaver l`;
};
