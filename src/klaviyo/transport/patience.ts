/** How a client handles failing calls. Times are in milliseconds. */
export interface Patience {
  /** Tries of a read in total. */
  readonly tries: number;
  /** The longest wait before the second try of a read; it doubles with each further one. */
  readonly retryMs: number;
  /** Failures in a row after which the calls of an endpoint wait. */
  readonly failuresInRow: number;
  /** The first pause of an endpoint that keeps failing; it doubles with each probe that fails. */
  readonly pauseMs: number;
  readonly longestPauseMs: number;
  /** No caller is held for longer: it gets an error that says when to try again. */
  readonly holdMs: number;
}

/**
 * If 10 % of calls fail, 4 tries fail together once in 10,000 reads, and 5 calls in a row once in
 * 100,000: neither happens by chance. A caller held longer than 10 s blocks a worker's slot that
 * another endpoint could use.
 */
export const DEFAULT_PATIENCE: Patience = {
  tries: 4,
  retryMs: 250,
  failuresInRow: 5,
  pauseMs: 500,
  longestPauseMs: 30_000,
  holdMs: 10_000,
};
