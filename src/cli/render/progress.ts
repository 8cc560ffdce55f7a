import type { Phase, Progress } from '../../contracts/migration.js';
import { OUTCOMES } from '../../contracts/outcomes.js';
import { settledRows } from './outcomes.js';
import { count, counted, duration, percent } from './quantities.js';

const PHASE_WORDS: Record<Phase, string> = {
  preflight: 'checking the account',
  plan: 'reading consent from Klaviyo',
  approval: 'waiting for your approval',
  canary: 'the first rows alone',
  submit: 'submitting',
  settle: 'waiting to read back',
  report: 'writing the report',
  done: 'done',
  planned: 'planned, nothing was sent',
  cancelling: 'cancelling: settling what was sent',
  cancelled: 'cancelled',
  failed: 'stopped',
};

export function phaseWords({
  phase,
  paused,
  held,
}: Pick<Progress, 'phase' | 'paused' | 'held'>): string {
  if (held !== null) return `${PHASE_WORDS[phase]} (held: Klaviyo refuses the worker's key)`;
  return paused ? `${PHASE_WORDS[phase]} (paused)` : PHASE_WORDS[phase];
}

/** One line about a run; what matters most comes first, since a narrow terminal cuts it off. */
export function progressLine(progress: Progress, left: Left | null): string {
  const settled = settledRows(progress.outcomes);
  const { jobs } = progress;
  return [
    phaseWords(progress),
    `${count(settled)} of ${count(progress.rows)} rows (${percent(settled, progress.rows)})`,
    ...(left === null || left.ms < 1_000
      ? []
      : [`${left.atMost ? 'at most' : 'ETA'} ${duration(left.ms)}`]),
    ...outcomeWords(progress),
    ...(jobs.total > 0 ? [`${jobs.submitted} of ${counted(jobs.total, 'job')} sent`] : []),
  ].join(' | ');
}

/** `confirmed 8,000` and so on, for every outcome with rows. */
export function outcomeWords({ outcomes }: Pick<Progress, 'outcomes'>): string[] {
  return OUTCOMES.flatMap((outcome) => {
    const rows = outcomes[outcome] ?? 0;
    return rows === 0 ? [] : [`${outcome} ${count(rows)}`];
  });
}

/** An estimate of the time left; `atMost` if it comes from the deadline, not from the pace. */
export interface Left {
  readonly ms: number;
  readonly atMost: boolean;
}

/** What the time left is estimated from; times in milliseconds. */
export interface PaceSoFar {
  readonly rows: number;
  /** Rows that ended before anything was sent, which say nothing about the pace. */
  readonly settledAtStart: number;
  readonly settled: number;
  readonly jobs: { readonly total: number; readonly submitted: number };
  readonly elapsedMs: number;
  /** Since Klaviyo accepted the last job; null while jobs are still to be submitted. */
  readonly sinceLastSubmitMs: number | null;
  /** From a job's acceptance until the last look-up of its open rows, which gives them their outcome. */
  readonly confirmWithinMs: number;
}

/**
 * The time left: at the pace so far, but at most until the deadline of the last job. Null while
 * there is no pace yet.
 */
export function estimateLeft(pace: PaceSoFar): Left | null {
  const open = pace.rows - pace.settled;
  if (open <= 0) return { ms: 0, atMost: false };
  const done = pace.settled - pace.settledAtStart;
  const atPace = done > 0 ? (open * pace.elapsedMs) / done : Infinity;
  const atDeadline = untilLastDeadline(pace);
  if (atPace === Infinity && atDeadline === Infinity) return null;
  return { ms: Math.min(atPace, atDeadline), atMost: atDeadline < atPace };
}

function untilLastDeadline(pace: PaceSoFar): number {
  const { total, submitted } = pace.jobs;
  if (pace.sinceLastSubmitMs !== null) {
    const left = pace.confirmWithinMs - pace.sinceLastSubmitMs;
    // After the deadline the last look-ups take as long as they take.
    return left > 0 ? left : Infinity;
  }
  if (submitted === 0) return Infinity;
  return ((total - submitted) * pace.elapsedMs) / submitted + pace.confirmWithinMs;
}
