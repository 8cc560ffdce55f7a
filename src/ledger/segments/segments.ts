import { sql } from 'kysely';
import type { SegmentRefusal } from '../../contracts/failures.js';
import type { SegmentDefinition } from '../../contracts/segments.js';
import type { LedgerDb } from '../database.js';
import type { Storing } from '../runs/storing.js';

/** A segment as the ledger has it. */
export interface Segment {
  readonly number: number;
  readonly definition: string;
  readonly keyForm: string | null;
  /** Never compared before. */
  readonly isNew: boolean;
  readonly folded: number;
  /** Klaviyo's id of the list that its people joined; null for none. */
  readonly listId: string | null;
  /** Of its last comparison. */
  readonly generation: number;
}

/** Another run of the segment has not ended: what it does is not known yet. */
export class SegmentIsRunningError extends Error {
  override readonly name = 'SegmentIsRunningError';
  readonly code = 'segment_running' satisfies SegmentRefusal;
  constructor(
    program: string,
    readonly migrationId: string,
  ) {
    super(
      `The migration ${migrationId} of ${program} has not ended. Wait for its end, or cancel it: ` +
        `consentry cancel ${migrationId}`,
    );
  }
}

/** The people of a segment are on another list than its program has now. */
export class SegmentListError extends Error {
  override readonly name = 'SegmentListError';
  readonly code = 'segment_list_changed' satisfies SegmentRefusal;
  constructor(program: string, before: string | null, now: string | null) {
    super(
      `The people of ${program} ${before === null ? 'are on no list' : `are on the list ${before}`}, and the program has ` +
        `${now === null ? 'none' : `the list ${now}`} now: they would neither join the new one nor leave the old one. ` +
        'Nothing was sent. Set list back, or give the program another name, which begins a new segment.',
    );
  }
}

/**
 * The segment of a program, which is created if it is not there. Nobody else compares it until the
 * transaction ends.
 */
export async function lockSegment(
  { run }: Pick<Storing, 'run'>,
  { accountId, program }: SegmentDefinition,
): Promise<Segment> {
  await run(sql`
    insert into consentry.segment (account_id, program) values (${accountId}, ${program})
    on conflict (account_id, program) do nothing`);
  const [segment] = await run<Segment>(sql`
    select number, definition, key_form as "keyForm", compared_at is null as "isNew", folded,
      list_id as "listId", generation
    from consentry.segment where account_id = ${accountId} and program = ${program} for update`);
  if (segment === undefined) throw new Error(`The segment of ${program} was deleted meanwhile.`);
  return segment;
}

/**
 * Refuses to compare a segment while a run of its program works, and with another list.
 *
 * @throws SegmentIsRunningError, SegmentListError
 */
export async function refuseToCompare(
  { run }: Pick<Storing, 'run'>,
  segment: Segment,
  { accountId, program, listId }: SegmentDefinition,
): Promise<void> {
  const [running] = await run<{ id: string }>(sql`
    select m.id from consentry.migration m join consentry.run r on r.id = m.id
    where r.account_id = ${accountId} and m.program = ${program} and r.finished_at is null
    order by m.number limit 1`);
  if (running !== undefined) throw new SegmentIsRunningError(program, running.id);
  if (!segment.isNew && segment.listId !== listId) {
    throw new SegmentListError(program, segment.listId, listId);
  }
}

/** Notes that a segment was compared with its source, what its people are, and which runs were taken over. */
export async function noteCompared(
  { run }: Pick<Storing, 'run'>,
  segment: Segment,
  { hash, channels, listId }: SegmentDefinition,
  {
    keyForm,
    folded,
    runId,
  }: {
    readonly keyForm: string;
    readonly folded: number;
    /** Null if a person runs it by hand. */
    readonly runId: string | null;
  },
): Promise<void> {
  await run(sql`
    update consentry.segment set compared_at = now(), definition = ${hash}, key_form = ${keyForm},
      channels = ${[...channels]}, list_id = ${listId}, folded = ${folded},
      generation = generation + 1,
      -- A run by itself may have begun before its program was taken out of the file.
      ended_at = case when ${runId === null} or activation is not null then null else ended_at end
    where number = ${segment.number}`);
}

/** A segment whose program is not in the file any more asks for nobody, until it is run again. */
export async function endSegment(db: LedgerDb, accountId: string, program: string): Promise<void> {
  await sql`
    update consentry.segment set ended_at = now()
    where account_id = ${accountId} and program = ${program} and ended_at is null`.execute(db);
}

/** How many people the segments of an account have that have not ended, by program. */
export async function segmentPeople(
  db: LedgerDb,
  accountId: string,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ program: string; people: number }>`
    select g.program, count(m.key)::integer as people from consentry.segment g
    left join consentry.segment_member m on m.segment_number = g.number
    where g.account_id = ${accountId} and g.ended_at is null and g.compared_at is not null
    group by g.program`.execute(db);
  return new Map(rows.map(({ program, people }) => [program, people]));
}
