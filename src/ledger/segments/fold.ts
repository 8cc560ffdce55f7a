import { sql, type RawBuilder } from 'kysely';
import { CONSENT_CHANNELS, type ConsentChannel } from '../../contracts/channels.js';
import type { SegmentDefinition } from '../../contracts/segments.js';
import { enumChannel, isSent } from '../parts.js';
import { columnFor, identifierFor } from '../programs/program-people.js';
import type { Storing } from '../runs/storing.js';
import type { Segment } from './segments.js';
import type { SegmentTables } from './tables.js';

/** Why somebody keeps a consent that the program would take back: nothing is left to be tried. */
const KEPT = [
  'given_by_another',
  'renewed_elsewhere',
  'asked_for_elsewhere',
  'ends_other_texts',
  'not_subscribed',
  'consent_origin_unknown',
];

const STATE = sql`
  case
    when s.outcome is null then 'failed'
    -- Klaviyo may show them as subscribed, but that is not consent.
    when s.reason = 'opt_out_not_read_back' then 'held'
    when s.outcome in ('confirmed', 'already_consented', 'list_only') then 'in'
    when s.outcome = 'pending_double_opt_in' then 'asked'
    when s.outcome = 'skipped_opted_out' then 'held'
    when s.reason = 'not_in_klaviyo' then 'absent'
    else 'failed'
  end`;

/** Whether the part of intent `i` may be at Klaviyo, however it ended. */
const mayBeAtKlaviyo = (channel: ConsentChannel): RawBuilder<boolean> => sql`
  (coalesce(s.outcome, 'unconfirmed') in ('unconfirmed', 'pending_double_opt_in', 'confirmed', 'already_consented', 'list_only')
    or ${isSent(enumChannel(channel))})`;

/** Reason of a part whose list was left alone, since its member has the profile by another identifier. */
export const ON_LIST_STILL = 'on_list_still';

/** Whoever left before they clicked may still click: their leaving is tried again for so long. */
const CLICKS_WITHIN = sql`interval '30 days'`;

/**
 * Takes over what the runs of a segment proved since it was last compared: who is in now, who is out, and
 * who has clicked.
 */
export async function foldRuns(
  { run }: Pick<Storing, 'run'>,
  tables: SegmentTables,
  segment: Segment,
  { accountId, program }: SegmentDefinition,
): Promise<number> {
  const runs = await run<{ number: number; channels: string[] }>(sql`
    select m.number, m.channels from consentry.migration m join consentry.run r on r.id = m.id
    where r.account_id = ${accountId} and m.program = ${program} and m.number > ${segment.folded}
      and m.phase <> 'planned' and (m.settings->>'dryRun')::boolean is not true order by m.number`);
  for (const { number, channels } of runs) {
    for (const channel of CONSENT_CHANNELS) {
      if (channels.includes(channel)) await run(entered(tables, segment, number, channel));
    }
    await run(left(tables, segment, number));
    await run(kept(tables, segment, number));
    await run(unsent(tables, segment, number));
  }
  await run(clicked(tables, segment));
  return runs.at(-1)?.number ?? segment.folded;
}

const entered = (
  { parts }: SegmentTables,
  segment: Segment,
  number: number,
  channel: ConsentChannel,
): RawBuilder<unknown> => {
  // What proves more than this run does: who gave the consent, and when they were asked for a click.
  const keepsProof = sql`q.may_be_at_klaviyo
    and (s.outcome = 'already_consented' or s.reason = 'asked_already')`;
  return sql`
    insert into ${parts} as p (segment_number, key, channel, identifier, state, reason,
      may_be_at_klaviyo, migration_number, row_number, since, tried_at)
    select distinct on (i.member_key, ${identifierFor(channel)}) ${segment.number}::integer,
      i.member_key, ${enumChannel(channel)}, ${identifierFor(channel)}, ${STATE},
      case when s.reason = 'asked_already' then 'no_click_yet' else s.reason end,
      ${mayBeAtKlaviyo(channel)},
      case when ${keepsProof} then q.migration_number else i.migration_number end,
      case when ${keepsProof} then q.row_number else i.row_number end,
      coalesce(s.settled_at, now()), coalesce(s.settled_at, now())
    from consentry.intent i
    left join consentry.settlement s on s.migration_number = i.migration_number
      and s.row_number = i.row_number and s.channel = ${enumChannel(channel)}
    left join ${parts} q on q.segment_number = ${segment.number} and q.key = i.member_key
      and q.channel = ${enumChannel(channel)} and q.identifier = ${identifierFor(channel)}
    where i.migration_number = ${number} and i.member_key is not null
      and ${columnFor('i', channel, 'operation')} = 'subscribe'
      and ${identifierFor(channel)} is not null
      -- What was not sent says nothing new: the brakes count it once more.
      and (s.outcome <> 'cancelled' or s.outcome is null and ${isSent(enumChannel(channel))})
    order by i.member_key, ${identifierFor(channel)}, s.outcome
    on conflict (segment_number, key, channel, identifier) do update set
      state = excluded.state, reason = excluded.reason,
      may_be_at_klaviyo = p.may_be_at_klaviyo or excluded.may_be_at_klaviyo,
      migration_number = excluded.migration_number, row_number = excluded.row_number,
      tried_at = excluded.tried_at,
      since = case when p.state = excluded.state and p.state <> 'asked' then p.since
        else excluded.since end`;
};

/** The rows of a run that take people out, as `out`, with whether every part of a row ended so. */
const outs = (number: number, ended: RawBuilder<boolean>): RawBuilder<unknown> => sql`(
  select i.member_key, i.email, i.phone_number, i.list_operation is null as stays_on_list
  from consentry.intent i
  left join consentry.settlement s on s.migration_number = i.migration_number
    and s.row_number = i.row_number
  where i.migration_number = ${number} and i.member_key is not null and num_nonnulls(${OUTS}) > 0
  group by i.migration_number, i.row_number, i.member_key, i.email, i.phone_number, i.list_operation,
    ${OUTS}
  having bool_and(${ended}) and count(s.channel) = num_nonnulls(${OUTS})
) out`;

const OUTS = sql`${sql.join(
  CONSENT_CHANNELS.map(
    (channel) => sql`nullif(${columnFor('i', channel, 'operation')}, 'subscribe')`,
  ),
)}, i.list_operation, i.suppression_operation`;

const IS_OUT = sql<boolean>`(s.outcome in ('confirmed', 'skipped_opted_out')
  or s.outcome = 'rejected' and s.reason = any(${KEPT}))`;

const isOfOut = (segment: Segment): RawBuilder<boolean> => sql`
  p.segment_number = ${segment.number} and p.state = 'leaving' and p.key = out.member_key
    and p.identifier in (out.email, out.phone_number)`;

/** Their opt-out could not be read back: it stays known, also when their run is deleted. Of part `p`. */
export const NOT_READ_BACK = sql<boolean>`(p.reason is not distinct from 'opt_out_not_read_back')`;

/** They are still a member by another address or number, and their list was left alone because of it. */
const isOnListStill = ({ members }: SegmentTables, segment: Segment): RawBuilder<boolean> => sql`
  (out.stays_on_list and ${segment.listId !== null} and exists (select from ${members} m
    where m.segment_number = ${segment.number} and m.key = p.key))`;

/**
 * Whoever is out, or keeps their consent, is the segment's no more; all others are tried again. So is, for a
 * while, whoever was asked for a click: they may still click, and then they are on the list.
 */
const left = (tables: SegmentTables, segment: Segment, number: number): RawBuilder<unknown> => sql`
  delete from ${tables.parts} p using ${outs(number, IS_OUT)}
  where ${isOfOut(segment)} and not ${NOT_READ_BACK} and not ${isOnListStill(tables, segment)}
    and (p.reason is distinct from 'no_click_yet' or p.since <= now() - ${CLICKS_WITHIN})`;

/** Those of them who are not forgotten: see `left`. */
const kept = (tables: SegmentTables, segment: Segment, number: number): RawBuilder<unknown> => sql`
  update ${tables.parts} p set state = 'held', tried_at = now(),
    may_be_at_klaviyo = not ${NOT_READ_BACK},
    reason = case when ${NOT_READ_BACK} then p.reason else ${ON_LIST_STILL} end
  from ${outs(number, IS_OUT)}
  where ${isOfOut(segment)} and (${NOT_READ_BACK} or ${isOnListStill(tables, segment)})`;

/** Whose leaving was not sent is where they were: the brakes count them once more. */
const unsent = (
  tables: SegmentTables,
  segment: Segment,
  number: number,
): RawBuilder<unknown> => sql`
  update ${tables.parts} p set state = coalesce((
    select ${STATE} from consentry.settlement s where s.migration_number = p.migration_number
      and s.row_number = p.row_number and s.channel = p.channel), 'failed')
  from ${outs(number, sql`s.outcome = 'cancelled'`)}
  where ${isOfOut(segment)} and p.reason is distinct from 'no_click_yet'`;

/** Outcomes that changed after the end of their run. */
const clicked = ({ parts }: SegmentTables, segment: Segment): RawBuilder<unknown> => sql`
  update ${parts} p set state = ${STATE}, reason = s.reason, since = s.settled_at
  from consentry.settlement s
  where p.segment_number = ${segment.number} and p.state in ('asked', 'failed')
    and s.migration_number = p.migration_number and s.row_number = p.row_number
    and s.channel = p.channel and p.state <> ${STATE}`;
