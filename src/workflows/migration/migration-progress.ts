import { countJobs } from '../../contracts/jobs.js';
import type { Phase, Plan, Progress, Totals } from '../../contracts/migration.js';

const ENDS: ReadonlySet<Phase> = new Set(['done', 'planned', 'cancelled', 'failed']);

/** The state that the progress query and the details show. Only its methods change it. */
export class MigrationProgress {
  plan: Plan | null = null;
  private phase: Phase | null = null;
  private paused = false;
  private held: string | null = null;
  private warnings: readonly string[] = [];
  private failure: string | null = null;
  private totals: Totals = {
    rows: 0,
    outcomes: {},
    accepted: 0,
    jobs: { total: 0, submitted: 0, settled: 0 },
  };

  constructor(
    private readonly migrationId: string,
    private readonly on: {
      readonly onChange: (progress: Progress, plan: Plan | null) => void;
      readonly onPhase: (phase: Phase, progress: Progress) => void;
    },
  ) {}

  now(): Progress {
    return {
      migrationId: this.migrationId,
      phase: this.phase ?? 'preflight',
      paused: this.paused,
      held: this.held,
      rows: this.totals.rows,
      outcomes: this.totals.outcomes,
      jobs: this.totals.jobs,
      accepted: this.totals.accepted,
      warnings: this.warnings,
      failure: this.failure,
    };
  }

  /** A run that is being cancelled stays in that phase until its end. */
  enter(phase: Phase): void {
    if (phase === this.phase) return;
    if (this.phase === 'cancelling' && !ENDS.has(phase)) return;
    this.phase = phase;
    this.on.onPhase(phase, this.now());
    this.changed();
  }

  setPaused(paused: boolean): void {
    this.paused = paused;
    this.changed();
  }

  isPaused(): boolean {
    return this.paused;
  }

  /** @param why its calls wait until somebody acts; null when they no longer wait */
  hold(why: string | null): void {
    this.held = why;
    this.changed();
  }

  planned(plan: Plan, warnings: readonly string[]): void {
    this.plan = plan;
    this.warnings = warnings;
    this.totals = {
      ...this.totals,
      rows: plan.rows,
      jobs: { total: countJobs(plan.jobs), submitted: 0, settled: 0 },
    };
    this.changed();
  }

  /** Each warning is shown once: what fails with every look would grow the run's state for a year. */
  warn(warning: string): void {
    if (this.warnings.includes(warning)) return;
    this.warnings = [...this.warnings, warning];
    this.changed();
  }

  count(totals: Totals): void {
    this.totals = totals;
    this.changed();
  }

  fail(failure: string | null): void {
    this.failure = failure;
    this.changed();
  }

  jobs(): number {
    return this.totals.jobs.total;
  }

  /** @throws Error if the migration does not wait for approval */
  mustWaitForApproval(): void {
    if (this.phase === 'approval') return;
    throw new Error(
      `The migration does not wait for approval: it is in phase ${this.now().phase}.`,
    );
  }

  allSubmitted(): boolean {
    const { jobs } = this.totals;
    return jobs.total > 0 && jobs.submitted === jobs.total;
  }

  private changed(): void {
    this.on.onChange(this.now(), this.plan);
  }
}
