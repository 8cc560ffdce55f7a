import { CancellationScope, executeChild, ParentClosePolicy } from '@temporalio/workflow';
import { batchesOf, countJobs, type JobRange } from '../../contracts/jobs.js';
import { OPEN_BATCHES } from '../../contracts/limits.js';
import type { MigrationInput } from '../../contracts/migration.js';
import { workflowIds } from '../../contracts/names.js';
import { consentBatch } from './consent-batch.js';
import type { MigrationProgress } from './migration-progress.js';
import { readUntil } from './proof-reader.js';
import { failuresOf } from '../stop.js';

/**
 * Runs the jobs of a migration in batches, together with the reader that proves their rows. It
 * cannot be cancelled: a stop is recorded in the ledger, and that ends the jobs.
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
    const failures: Error[] = [];
    for (let first = 0; first < batches.length; first += OPEN_BATCHES) {
      if (this.isStopped() || failures.length > 0) break;
      const open = batches.slice(first, first + OPEN_BATCHES);
      const ended = await Promise.allSettled(open.map((batch) => this.#runBatch(batch)));
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
