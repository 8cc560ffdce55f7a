import { OPEN_BATCHES, SUBMITTING_BATCHES } from '../../contracts/limits.js';

/**
 * Decides when the next batch may start. What is bounded are the jobs that are not past their
 * submit; those that wait for Klaviyo cost nothing, so others start meanwhile. Pure.
 *
 * Jobs that are past their submit before they start, such as those whose people all opted out, make
 * room too: so many more may be open.
 */
export class SubmitWindow {
  #jobsStarted = 0;
  #jobsOfEndedBatches = 0;
  #openBatches = 0;
  #pastSubmit = 0;
  #isClosed = false;

  constructor(private readonly batchSize: number) {}

  /** Most jobs that have started and are not past their submit. */
  get size(): number {
    return SUBMITTING_BATCHES * this.batchSize;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Jobs that are known to be past their submit. */
  get pastSubmit(): number {
    return this.#pastSubmit;
  }

  /** @param jobs how many the ledger had past their submit; what arrives late changes nothing */
  passed(jobs: number): void {
    this.#pastSubmit = Math.max(this.#pastSubmit, jobs);
  }

  /** The run is stopped: no more batch starts. */
  close(): void {
    this.#isClosed = true;
  }

  /** Batches that have ended count even if nobody told how far their jobs were. */
  hasRoomFor(jobs: number): boolean {
    const past = Math.max(this.#pastSubmit, this.#jobsOfEndedBatches);
    return this.#openBatches < OPEN_BATCHES && this.#jobsStarted - past + jobs <= this.size;
  }

  started(jobs: number): void {
    this.#openBatches += 1;
    this.#jobsStarted += jobs;
  }

  ended(jobs: number): void {
    this.#openBatches -= 1;
    this.#jobsOfEndedBatches += jobs;
  }
}
