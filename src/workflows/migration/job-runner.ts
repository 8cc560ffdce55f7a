import { CancellationScope, executeChild, ParentClosePolicy } from '@temporalio/workflow';
import { OPEN_SEGMENTS } from '../../contracts/limits.js';
import type { JobRef, MigrationInput } from '../../contracts/migration.js';
import { workflowIds } from '../../contracts/names.js';
import { consentSegment } from './consent-segment.js';
import type { MigrationProgress } from './migration-progress.js';
import { readUntil } from './proof-reader.js';
import { segmentsOf } from './segments.js';
import { failuresOf } from '../stop.js';

/**
 * Runs the jobs of a migration in segments, beside the reader that proves their rows. It knows no
 * cancellation: who stops a run notes it in the ledger, and its jobs end by that.
 *
 * The reader goes on after them, as in the wait after a canary: who said no before their call was
 * applied may be known minutes later.
 */
export class JobRunner {
  #segments = 0;
  #isRunning = false;
  #isMoreToCome = false;
  #isClosed = false;
  #reader: ReturnType<typeof readUntil> | null = null;

  constructor(
    private readonly input: MigrationInput,
    private readonly progress: MigrationProgress,
    /** The run is over: nothing more is started. */
    private readonly isStopped: () => boolean,
  ) {}

  /**
   * Ends when all jobs that were started have ended.
   *
   * @param options.isMoreToCome other jobs follow after a wait, in which the reader goes on
   * @throws ChildWorkflowFailure of the first segment that failed, after all have ended
   */
  async run(jobs: readonly JobRef[], { isMoreToCome = false } = {}): Promise<void> {
    this.#isMoreToCome = isMoreToCome;
    await CancellationScope.nonCancellable(() => this.#runSegments(jobs));
  }

  /** Ends the reader. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reader?.stop();
  }

  async #runSegments(jobs: readonly JobRef[]): Promise<void> {
    const segments = segmentsOf(jobs, this.input.segmentSize);
    if (segments.length === 0) return;
    this.#isRunning = true;
    this.#reader ??= this.#read();
    const failures: Error[] = [];
    for (let first = 0; first < segments.length; first += OPEN_SEGMENTS) {
      if (this.isStopped() || failures.length > 0) break;
      const open = segments.slice(first, first + OPEN_SEGMENTS);
      const ended = await Promise.allSettled(open.map((segment) => this.#runSegment(segment)));
      failures.push(...failuresOf(ended));
    }
    this.#isRunning = false;
    const [failure] = failures;
    if (failure !== undefined) throw failure;
  }

  #read(): ReturnType<typeof readUntil> {
    const { migrationId, timing } = this.input;
    const { progress } = this;
    return readUntil(
      migrationId,
      timing,
      {
        isDone: () => this.#isClosed,
        isQuiet: () => (progress.isPaused() || !this.#isRunning) && !this.isStopped(),
        isBetween: () => this.#isMoreToCome && !this.#isRunning && !this.isStopped(),
      },
      {
        totals: (totals) => {
          progress.count(totals);
          if (this.#isRunning && progress.allSubmitted()) progress.enter('settle');
        },
        paused: (paused) => {
          if (paused !== progress.isPaused()) progress.setPaused(paused);
        },
        unread: (why) =>
          progress.warn(`Not all can be read back, rows are looked up at their deadline: ${why}`),
        // Without its feeds every job still looks its rows up at its deadline.
        failure: ({ failure }) =>
          progress.warn(
            `Reading back stopped, rows are looked up at their deadline: ${failure ?? 'unknown failure'}`,
          ),
      },
    );
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
}
