import { setTimeout as delay } from 'node:timers/promises';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Rounds in a row that may bring nothing, before the activity fails and Temporal shows why. */
const FRUITLESS_ROUNDS = 6;

/**
 * Decides how long something with many parts is tried again here, in an activity that keeps what it
 * has done: for as long as rounds bring anything. Progress resets the pause between them; without any
 * the activity fails with what was in the way, and Temporal's own back-off goes on.
 */
export class Persistence {
  #done = 0;
  #shortage: Error | null = null;
  #fruitless = 0;

  constructor(private readonly signal: AbortSignal) {}

  /** What one step of a round brought, and what kept it from bringing all; null where nothing did. */
  note(done: number, shortage: Error | null): void {
    this.#done += done;
    this.#shortage ??= shortage;
  }

  /**
   * At the end of a round.
   *
   * @returns false where nothing is left; true after the pause before another round
   * @throws what was in the way, where too many rounds brought nothing or Klaviyo names a longer wait
   */
  async another(): Promise<boolean> {
    const shortage = this.#shortage;
    if (shortage === null) return false;
    this.#fruitless = this.#done > 0 ? 0 : this.#fruitless + 1;
    this.#done = 0;
    this.#shortage = null;
    const asked = waitAskedBy(shortage);
    if (this.#fruitless >= FRUITLESS_ROUNDS || asked > LONGEST_PAUSE_MS) throw shortage;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#fruitless, LONGEST_PAUSE_MS);
    await delay(Math.max(asked, pause * (0.5 + Math.random() / 2)), undefined, {
      signal: this.signal,
    });
    return true;
  }
}

/** What the limiter or Klaviyo says until a call is free; 0 where nothing does. */
function waitAskedBy(shortage: Error): number {
  return 'retryAfterMs' in shortage && typeof shortage.retryAfterMs === 'number'
    ? shortage.retryAfterMs
    : 0;
}
