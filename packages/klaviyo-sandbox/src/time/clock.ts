/**
 * Two clocks. `wall` dates what Klaviyo shows: real time plus the difference between Klaviyo's clock
 * and this machine's, and the time that was passed. `now` decides when delayed effects are due and when rate windows end.
 * It runs ahead of real time once it was advanced, so that a test can skip twenty minutes without
 * dating anything in the future.
 */
export class Clock {
  #ahead = 0;
  #passed = 0;
  #pretended: number | undefined;

  /** @param aheadMs how far Klaviyo's clock is ahead of this machine's */
  constructor(
    readonly speed: number,
    private readonly aheadMs = 0,
  ) {}

  wall(): number {
    return Date.now() + this.aheadMs + this.#passed;
  }

  now(): number {
    return this.#pretended ?? Date.now() + this.#ahead;
  }

  /** Runs `effect` as if it were `moment`, so that what it starts counts from when it was due. */
  at(moment: number, effect: () => void): void {
    this.#pretended = moment;
    try {
      effect();
    } finally {
      this.#pretended = undefined;
    }
  }

  /** The moment on `now` that is `ms` of Klaviyo's time away. */
  in(ms: number): number {
    return this.now() + ms / this.speed;
  }

  /** Skips forward to `moment` on `now`; never back. */
  advanceTo(moment: number): void {
    this.#ahead = Math.max(this.#ahead, moment - Date.now());
  }

  /** As `advance`, and dates follow. */
  pass(ms: number): void {
    this.#passed += ms;
    this.advance(ms);
  }

  /** Skips `ms` of Klaviyo's time. */
  advance(ms: number): void {
    this.#ahead += ms / this.speed;
  }
}
