import type { Phase, Progress } from '../../contracts/migration.js';
import { settledRows } from '../render/outcomes.js';
import { estimateLeft, type Left } from '../render/progress.js';

const UNDER_WAY: ReadonlySet<Phase> = new Set(['submit', 'settle']);

/** Remembers when things began, to estimate the time left. */
export class Pace {
  #start: { at: number; settled: number } | null = null;
  #lastSubmitAt: number | null = null;

  /** @param confirmWithinMs deadline after which a job's open rows get their outcome */
  constructor(private readonly confirmWithinMs: number) {}

  /** Null while there is no pace yet. Call it at every poll. */
  left(progress: Progress, now = Date.now()): Left | null {
    const settled = settledRows(progress.outcomes);
    // A run that is paused, cancelled or over has no pace.
    if (progress.paused || progress.held !== null || !UNDER_WAY.has(progress.phase)) return null;
    this.#start ??= { at: now, settled };
    const { total, submitted } = progress.jobs;
    if (submitted === total) this.#lastSubmitAt ??= now;
    return estimateLeft({
      rows: progress.rows,
      settledAtStart: this.#start.settled,
      settled,
      jobs: progress.jobs,
      elapsedMs: now - this.#start.at,
      sinceLastSubmitMs: this.#lastSubmitAt === null ? null : now - this.#lastSubmitAt,
      confirmWithinMs: this.confirmWithinMs,
    });
  }
}
