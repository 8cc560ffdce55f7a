import { sql } from 'kysely';
import type { ActivationSettings, ActivationState } from '../../contracts/activation.js';
import type { SegmentFound } from '../../contracts/segments.js';
import type { LedgerDb } from '../database.js';
import { NOTICE_TAKES } from '../syncs/syncs.js';

/** A segment that runs by itself. */
export interface Activation {
  /** Of the segment. */
  readonly number: number;
  readonly accountId: string;
  readonly program: string;
  readonly settings: ActivationSettings;
  readonly activatedAt: Date;
  /** When the last run ended that did all it should, also one by hand; null if none did. */
  readonly lastSuccessAt: Date | null;
  /** What its operator has been told that is not well; null if all is, as far as they know. */
  readonly alerted: string | null;
}

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

/** The ledger has no segment of this name that runs by itself. */
export class ActivationNotFoundError extends Error {
  override readonly name = 'ActivationNotFoundError';
  constructor(program: string) {
    super(
      `The program ${program} does not run by itself. Give it a key and a schedule in consentry.yaml, and run consentry apply.`,
    );
  }
}

/** Runs are kept this long: `program runs` shows them. */
const RUNS_LIVE = sql`interval '90 days'`;

/** A run by hand is as far as its migration: no workflow of the segment follows it. */
const STATE = sql`
  case when r.workflow_id is null and m.phase is not null then
    case when m.phase in ('done', 'failed', 'cancelled') then m.phase else 'running' end
  else r.state end`;

const FINISHED_AT = sql`
  case when r.workflow_id is null and m.phase is not null then run.finished_at else r.finished_at end`;

const RUNS = sql`
  consentry.segment_run r left join consentry.migration m on m.id = r.migration_id
  left join consentry.run on run.id = m.id`;

const COLUMNS = sql`
  r.id, r.segment_number as segment, r.workflow_id as "workflowId", ${STATE} as state, r.found, r.generation,
  r.migration_id as "migrationId", coalesce(r.why, m.failure) as why, r.started_at as "startedAt",
  ${FINISHED_AT} as "finishedAt"`;

/** Makes a segment run by itself, or changes how it does. */
export async function defineActivation(
  db: LedgerDb,
  accountId: string,
  program: string,
  settings: ActivationSettings,
): Promise<void> {
  await sql`
    insert into consentry.segment (account_id, program, activation, activated_at)
    values (${accountId}, ${program}, ${JSON.stringify(settings)}, now())
    on conflict (account_id, program) do update set activation = excluded.activation,
      activated_at = coalesce(segment.activated_at, excluded.activated_at)`.execute(db);
}

/** A segment runs by itself no more; who is in it stays known. */
export async function removeActivation(
  db: LedgerDb,
  accountId: string,
  program: string,
): Promise<void> {
  await sql`
    update consentry.segment set activation = null, activated_at = null, alerted = null
    where account_id = ${accountId} and program = ${program}`.execute(db);
}

/** All segments that run by themselves: there are few. */
export async function listActivations(db: LedgerDb): Promise<Activation[]> {
  const { rows } = await sql<Activation>`
    select g.number, g.account_id as "accountId", g.program, g.activation as settings,
      g.activated_at as "activatedAt", g.alerted, (
        select max(${FINISHED_AT}) from ${RUNS}
        where r.segment_number = g.number and ${STATE} in ('done', 'nothing_to_do')) as "lastSuccessAt"
    from consentry.segment g where g.activation is not null order by g.number`.execute(db);
  return rows;
}

/** @throws ActivationNotFoundError */
export async function getActivation(
  db: LedgerDb,
  accountId: string,
  program: string,
): Promise<Activation> {
  const found = (await listActivations(db)).find(
    (each) => each.accountId === accountId && each.program === program,
  );
  if (found === undefined) throw new ActivationNotFoundError(program);
  return found;
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

/** Of a segment by the name of its program. */
export async function segmentsCalled(
  db: LedgerDb,
  program: string,
): Promise<{ readonly number: number; readonly accountId: string; readonly kept: number }[]> {
  const { rows } = await sql<{ number: number; accountId: string; kept: number }>`
    select g.number, g.account_id as "accountId", (
      select count(*)::integer from consentry.segment_member m
      where m.segment_number = g.number and m.kept) as kept
    from consentry.segment g where g.program = ${program} order by g.number`.execute(db);
  return rows;
}

/**
 * Lets those leave who are missing since their segment began anew: in the next run, as far as its
 * brakes allow.
 *
 * @returns how many
 */
export async function letKeptLeave(db: LedgerDb, segment: number): Promise<number> {
  const { numAffectedRows } = await sql`
    update consentry.segment_member set kept = false, missing_runs = 30000,
      missing_since = '2000-01-01'
    where segment_number = ${segment} and kept`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

/**
 * Begins a notice: see `beginNotice` of syncs.
 *
 * @param before what people had been told
 * @returns whether the caller is to send it
 */
export async function beginSegmentNotice(
  db: LedgerDb,
  segment: number,
  before: string | null,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update consentry.segment set notice_begun_at = now()
    where number = ${segment} and alerted is not distinct from ${before}
      and (notice_begun_at is null or notice_begun_at < now() - ${NOTICE_TAKES}
        or notice_begun_at > now())`.execute(db);
  return (numAffectedRows ?? 0n) > 0n;
}

/** Notes what people have been told by now, or that a notice was not sent: then it is as before. */
export async function endSegmentNotice(
  db: LedgerDb,
  segment: number,
  alerted: string | null,
): Promise<void> {
  await sql`
    update consentry.segment set alerted = ${alerted}, notice_begun_at = null
    where number = ${segment}`.execute(db);
}
