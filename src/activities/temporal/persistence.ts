import { setTimeout as delay } from 'node:timers/promises';
import { isShortage } from '../look-ups.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Rounds in a row without progress before the activity fails and Temporal shows why. */
const MAX_ROUNDS_WITHOUT_PROGRESS = 6;

/**
 * Decides how long an activity retries work with many parts by itself: while rounds make progress.
 * Progress resets the pause between rounds. Without progress the activity fails with the error that
 * was in the way, and Temporal's own backoff takes over.
 */
export class Persistence {
  #done = 0;
  #shortage: Error | null = null;
  #withoutProgress = 0;

  constructor(
    private readonly signal: AbortSignal,
    private readonly wait: (ms: number) => Promise<unknown> = (ms) =>
      delay(ms, undefined, { signal }),
  ) {}

  /**
   * Tries one step until it succeeds, and waits as long as it is told to: for work that would begin
   * again if the activity failed.
   *
   * @throws what is not a shortage at once, and a shortage after too many attempts
   */
  async whileShort<T>(step: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      this.signal.throwIfAborted();
      try {
        return await step();
      } catch (error) {
        if (!isShortage(error) || attempt === MAX_ROUNDS_WITHOUT_PROGRESS) throw error;
        const pause = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
        await this.wait(Math.max(waitAskedBy(error), pause));
      }
    }
  }

  /** Records how much one step did, and why it did not do everything; null if it did. */
  note(done: number, shortage: Error | null): void {
    this.#done += done;
    this.#shortage ??= shortage;
  }

  /**
   * At the end of a round.
   *
   * @returns false if nothing is left; true after the pause before another round
   * @throws the error in the way, after too many rounds without progress or if Klaviyo asks for a
   *   longer wait
   */
  async another(): Promise<boolean> {
    const shortage = this.#shortage;
    if (shortage === null) return false;
    this.#withoutProgress = this.#done > 0 ? 0 : this.#withoutProgress + 1;
    this.#done = 0;
    this.#shortage = null;
    const asked = waitAskedBy(shortage);
    if (this.#withoutProgress >= MAX_ROUNDS_WITHOUT_PROGRESS || asked > LONGEST_PAUSE_MS)
      throw shortage;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#withoutProgress, LONGEST_PAUSE_MS);
    await this.wait(Math.max(asked, pause * (0.5 + Math.random() / 2)));
    return true;
  }
}

/** The wait that the limiter or Klaviyo asks for; 0 if neither does. */
function waitAskedBy(shortage: Error): number {
  return 'retryAfterMs' in shortage && typeof shortage.retryAfterMs === 'number'
    ? shortage.retryAfterMs
    : 0;
}
