import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { ActivationState } from '../../contracts/activation.js';
import type { SegmentFound } from '../../contracts/segments.js';
import type { LedgerDb } from '../database.js';
import type { Storing } from '../runs/storing.js';
import type { Segment } from './segments.js';

/** A run of a segment, by itself or by hand. */
export interface SegmentRun {
  readonly id: string;
  readonly segment: number;
  /** Null if a person ran it by hand. */
  readonly workflowId: string | null;
  readonly state: ActivationState;
  readonly found: SegmentFound | null;
  readonly migrationId: string | null;
  /** Of its comparison; null if there was none. */
  readonly generation: number | null;
  readonly why: string | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

/** Runs are kept this long: `program runs` shows them. */
const RUNS_LIVE = sql`interval '90 days'`;

/** A run by hand is as far as its migration: no workflow of the segment follows it. */
export const STATE = sql`
  case when r.workflow_id is null and m.phase is not null then
    case when m.phase in ('done', 'failed', 'cancelled') then m.phase else 'running' end
  else r.state end`;

export const FINISHED_AT = sql`
  case when r.workflow_id is null and m.phase is not null then run.finished_at else r.finished_at end`;

export const RUNS = sql`
  consentry.segment_run r left join consentry.migration m on m.id = r.migration_id
  left join consentry.run on run.id = m.id`;

const COLUMNS = sql`
  r.id, r.segment_number as segment, r.workflow_id as "workflowId", ${STATE} as state, r.found, r.generation,
  r.migration_id as "migrationId", coalesce(r.why, m.failure) as why, r.started_at as "startedAt",
  ${FINISHED_AT} as "finishedAt"`;

/** The run with this id, and whose it is; null if there is none. */
export async function segmentRunOf(
  db: LedgerDb,
  id: string,
): Promise<(SegmentRun & { readonly program: string; readonly accountId: string }) | null> {
  const { rows } = await sql<SegmentRun & { readonly program: string; readonly accountId: string }>`
    select ${COLUMNS}, g.program, g.account_id as "accountId"
    from ${RUNS} join consentry.segment g on g.number = r.segment_number
    where r.id = ${id}`.execute(db);
  return rows[0] ?? null;
}

/** Begins a run, or goes on with one that was held. Old ones are deleted on the way. */
export async function beginSegmentRun(
  db: LedgerDb,
  {
    id,
    segment,
    workflowId,
  }: { readonly id: string; readonly segment: number; readonly workflowId: string },
): Promise<void> {
  await sql`
    delete from consentry.segment_run
    where segment_number = ${segment} and started_at < now() - ${RUNS_LIVE}`.execute(db);
  await sql`
    insert into consentry.segment_run (id, segment_number, workflow_id, state)
    values (${id}, ${segment}, ${workflowId}, 'comparing')
    on conflict (id) do update set state = excluded.state, why = null
    where segment_run.state = 'braked'`.execute(db);
}

/**
 * Notes what a run compared, together with what is stored because of it: a step that is tried again finds that
 * it was done.
 *
 * @param run.runId null if a person runs it by hand
 */
export async function noteComparison(
  { run }: Pick<Storing, 'run'>,
  { number, generation }: Pick<Segment, 'number' | 'generation'>,
  {
    runId,
    found,
    migrationId,
  }: {
    readonly runId: string | null;
    readonly found: SegmentFound;
    readonly migrationId: string | null;
  },
): Promise<void> {
  const state: ActivationState = migrationId === null ? 'nothing_to_do' : 'running';
  await run(sql`
    insert into consentry.segment_run (id, segment_number, state, found, generation, migration_id, finished_at)
    values (${runId ?? `by-hand/${randomUUID()}`}, ${number}, ${state}, ${JSON.stringify(found)}, ${generation + 1},
      ${migrationId}, case when ${migrationId}::text is null then now() end)
    on conflict (id) do update set state = excluded.state, found = excluded.found,
      generation = excluded.generation, why = null,
      migration_id = excluded.migration_id, finished_at = excluded.finished_at`);
}

/** Notes how a run is by now. What is left out stays. */
export async function noteSegmentRun(
  db: LedgerDb,
  id: string,
  state: ActivationState,
  {
    found = null,
    why = null,
    isOver = false,
  }: {
    readonly found?: SegmentFound | null;
    readonly why?: string | null;
    readonly isOver?: boolean;
  } = {},
): Promise<void> {
  await sql`
    update consentry.segment_run set state = ${state}, why = ${why},
      found = coalesce(${found === null ? null : JSON.stringify(found)}::jsonb, found),
      finished_at = ${isOver ? sql`coalesce(finished_at, now())` : sql`finished_at`}
    where id = ${id}`.execute(db);
}

/** Ends a run that waits for an answer no more, since its workflow was terminated. */
export async function noteTerminated(db: LedgerDb, id: string): Promise<void> {
  await sql`
    update consentry.segment_run set state = 'cancelled', finished_at = now(),
      why = 'Its workflow was terminated while it waited.'
    where id = ${id} and state = 'braked'`.execute(db);
}

/** The latest runs of a segment, the newest first. @param most so many */
export async function segmentRuns(
  db: LedgerDb,
  segment: number,
  most: number,
): Promise<SegmentRun[]> {
  const { rows } = await sql<SegmentRun>`
    select ${COLUMNS} from ${RUNS} where r.segment_number = ${segment}
    order by r.started_at desc, r.id desc limit ${most}`.execute(db);
  return rows;
}

/** @returns null if there is no such run */
export async function getSegmentRun(db: LedgerDb, id: string): Promise<SegmentRun | null> {
  const { rows } = await sql<SegmentRun>`
    select ${COLUMNS} from ${RUNS} where r.id = ${id}`.execute(db);
  return rows[0] ?? null;
}
