import { sql, type RawBuilder } from 'kysely';
import type { ActivationSettings } from '../../contracts/activation.js';
import type { LedgerDb } from '../database.js';
import { NOTICE_TAKES } from '../syncs/syncs.js';
import { FINISHED_AT, RUNS, STATE } from './segment-runs.js';

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

/** The ledger has no segment of this name that runs by itself. */
export class ActivationNotFoundError extends Error {
  override readonly name = 'ActivationNotFoundError';
  constructor(program: string) {
    super(
      `The program ${program} does not run by itself. Give it a key and a schedule in consentry.yaml, and run consentry apply.`,
    );
  }
}

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
export function listActivations(db: LedgerDb): Promise<Activation[]> {
  return activationsWhere(db, sql`true`);
}

async function activationsWhere(db: LedgerDb, holds: RawBuilder<boolean>): Promise<Activation[]> {
  const { rows } = await sql<Activation>`
    select g.number, g.account_id as "accountId", g.program, g.activation as settings,
      g.activated_at as "activatedAt", g.alerted, (
        select max(${FINISHED_AT}) from ${RUNS}
        where r.segment_number = g.number and ${STATE} in ('done', 'nothing_to_do')) as "lastSuccessAt"
    from consentry.segment g where g.activation is not null and ${holds} order by g.number`.execute(
    db,
  );
  return rows;
}

/** @throws ActivationNotFoundError */
export async function getActivation(
  db: LedgerDb,
  accountId: string,
  program: string,
): Promise<Activation> {
  const isIt = sql<boolean>`g.account_id = ${accountId} and g.program = ${program}`;
  const [found] = await activationsWhere(db, isIt);
  if (found === undefined) throw new ActivationNotFoundError(program);
  return found;
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
