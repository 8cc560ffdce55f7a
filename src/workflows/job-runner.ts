import {
  CancellationScope,
  CancelledFailure,
  executeChild,
  ParentClosePolicy,
} from '@temporalio/workflow';
import { OPEN_SEGMENTS } from '../contracts/limits.js';
import type { JobRef, MigrationInput, Progress } from '../contracts/migration.js';
import { workflowIds } from '../contracts/names.js';
import { steps } from './activity-options.js';
import { consentSegment } from './consent-segment.js';
import type { MigrationProgress } from './migration-progress.js';
import { readUntil } from './proof-reader.js';
import { segmentsOf } from './segments.js';
import { isCancelled, type Stop } from './stop.js';

/** Runs the jobs of a migration in segments, beside the reader that proves their rows. */
export class JobRunner {
  #segments = 0;
  #keyRefused: Stop | null = null;

  constructor(
    private readonly input: MigrationInput,
    private readonly progress: MigrationProgress,
    private readonly enter: (phase: Progress['phase']) => void,
  ) {}

  /**
   * Ends when all jobs have ended.
   *
   * @throws ApplicationFailure where Klaviyo refuses the key, so that not all was read back
   * @throws CancelledFailure where the run was cancelled, also where its jobs had sent everything
   */
  async run(jobs: readonly JobRef[]): Promise<void> {
    const { migrationId, timing } = this.input;
    const segments = segmentsOf(jobs, this.input.segmentSize);
    let running = true;
    CancellationScope.current().cancelRequested.catch((error: unknown) => {
      if (!isCancelled(error)) throw error;
      if (running) this.enter('cancelling');
    });
    const reading = readUntil(migrationId, timing, () => !running, {
      totals: (totals) => {
        this.progress.count(totals);
        if (this.progress.allSubmitted()) this.enter('settle');
      },
      failure: (stop) => this.#readingStopped(stop),
    });
    try {
      for (let first = 0; first < segments.length; first += OPEN_SEGMENTS) {
        const open = segments.slice(first, first + OPEN_SEGMENTS);
        await Promise.all(open.map((segment) => this.#runSegment(segment)));
      }
    } finally {
      running = false;
      await reading.stop();
    }
    if (CancellationScope.current().consideredCancelled) {
      throw new CancelledFailure('Migration cancelled');
    }
    if (this.#keyRefused !== null) throw this.#keyRefused.cause;
  }

  #runSegment(jobs: readonly JobRef[]): Promise<void> {
    const { migrationId, timing } = this.input;
    this.#segments += 1;
    const segment = this.#segments;
    return executeChild(consentSegment, {
      workflowId: workflowIds.segment(migrationId, segment),
      args: [{ migrationId, segment, jobs, totalJobs: this.progress.jobs(), timing }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: `segment ${segment}: ${jobs.length} jobs`,
    });
  }

  /**
   * Without its feed every job still looks its rows up at its deadline; without a key nothing will
   * ever be read again, and waiting for the deadline would only keep the run open.
   */
  async #readingStopped(stop: Stop): Promise<void> {
    const { migrationId } = this.input;
    const { type, failure } = stop;
    if (type === 'KlaviyoKeyRefused') {
      this.#keyRefused = stop;
      this.progress.warn(`Nothing can be read back any more: ${failure ?? 'the key was refused'}`);
      await steps.giveUpReading.executeWithOptions({ summary: 'end jobs that cannot be read' }, [
        { migrationId },
      ]);
      return;
    }
    this.progress.warn(
      `Reading back stopped, rows are looked up at their deadline: ${failure ?? 'unknown failure'}`,
    );
  }
}
