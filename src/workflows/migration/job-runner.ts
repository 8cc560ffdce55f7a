import {
  CancellationScope,
  condition,
  executeChild,
  ParentClosePolicy,
} from '@temporalio/workflow';
import { batchesOf, countJobs, type JobRange } from '../../contracts/jobs.js';
import type { MigrationInput } from '../../contracts/migration.js';
import { workflowIds } from '../../contracts/names.js';
import { consentBatch } from './consent-batch.js';
import type { MigrationProgress } from './migration-progress.js';
import { readUntil } from './proof-reader.js';
import type { SubmitWindow } from './submit-window.js';
import { failuresOf } from '../stop.js';

/**
 * Runs the jobs of a migration in batches, together with the reader that proves their rows. A batch
 * starts as soon as the window has room for it. It cannot be cancelled: a stop is recorded in the
 * ledger, and that ends the jobs.
 *
 * Children: a batch is open until its last job has ended, which may be hours after the submit. At
 * most 400 are; then the next one waits until one of them ends.
 *
 * The reader goes on after the jobs, as in the wait after a canary: an opt-out made before a call
 * was applied may become known minutes later.
 */
export class JobRunner {
  #batches = 0;
  #isRunning = false;
  #isMoreToCome = false;
  #isClosed = false;
  #reader: ReturnType<typeof readUntil> | null = null;

  constructor(
    private readonly input: MigrationInput,
    private readonly progress: MigrationProgress,
    private readonly window: SubmitWindow,
    /** The run is stopped: nothing more is started. */
    private readonly isStopped: () => boolean,
  ) {}

  /**
   * Returns when all started jobs have ended.
   *
   * @param options.isMoreToCome other jobs follow after a wait, in which the reader goes on
   * @throws ChildWorkflowFailure of the first batch that failed, after all have ended
   */
  async run(jobs: readonly JobRange[], { isMoreToCome = false } = {}): Promise<void> {
    this.#isMoreToCome = isMoreToCome;
    await CancellationScope.nonCancellable(() => this.#runBatches(jobs));
  }

  /** Ends the reader. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reader?.stop();
  }

  async #runBatches(jobs: readonly JobRange[]): Promise<void> {
    const batches = batchesOf(jobs, this.input.batchSize);
    if (batches.length === 0) return;
    this.#isRunning = true;
    this.#reader ??= this.#read();
    const { window } = this;
    const isOver = () => window.isClosed || this.isStopped();
    const running: Promise<void>[] = [];
    for (const batch of batches) {
      const jobs = countJobs(batch);
      await condition(() => isOver() || window.hasRoomFor(jobs));
      if (isOver()) break;
      window.started(jobs);
      const run = this.#runBatch(batch).finally(() => window.ended(jobs));
      run.catch(() => window.close());
      running.push(run);
    }
    const [failure] = failuresOf(await Promise.allSettled(running));
    this.#isRunning = false;
    if (failure !== undefined) throw failure;
  }

  #read(): ReturnType<typeof readUntil> {
    const { migrationId, timing } = this.input;
    const { progress, window } = this;
    return readUntil(
      migrationId,
      timing,
      {
        isDone: () => this.#isClosed,
        isQuiet: () => (progress.isPaused() || !this.#isRunning) && !this.isStopped(),
        isBetween: () => this.#isMoreToCome && !this.#isRunning && !this.isStopped(),
        // A run of fewer jobs never waits for room.
        tell: () =>
          progress.jobs() > window.size
            ? { known: window.pastSubmit, atLeast: this.input.batchSize }
            : null,
      },
      {
        totals: (totals) => {
          progress.count(totals);
          if (this.#isRunning && progress.allSubmitted()) progress.enter('settle');
        },
        pastSubmit: (jobs) => window.passed(jobs),
        stopped: () => window.close(),
        paused: (paused) => {
          if (paused !== progress.isPaused()) progress.setPaused(paused);
        },
        unread: (why) =>
          progress.warn(`Not all can be read back, rows are looked up at their deadline: ${why}`),
        // Without the reader, every job still looks up its rows at its deadline.
        failure: ({ failure }) =>
          progress.warn(
            `Reading back stopped, rows are looked up at their deadline: ${failure ?? 'unknown failure'}`,
          ),
      },
    );
  }

  #runBatch(jobs: readonly JobRange[]): Promise<void> {
    const { migrationId, timing } = this.input;
    this.#batches += 1;
    const batch = this.#batches;
    return executeChild(consentBatch, {
      workflowId: workflowIds.batch(migrationId, batch),
      args: [{ migrationId, batch, jobs, totalJobs: this.progress.jobs(), timing }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: `batch ${batch}: ${countJobs(jobs)} jobs`,
    });
  }
}
