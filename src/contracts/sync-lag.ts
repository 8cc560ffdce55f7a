/*
 * How late changes were noticed: the time from when Klaviyo changed something until it was read. What
 * several runs noticed is put together, so the ledger keeps how many took about how long. Pure.
 */

/** By channel, or by what else changed. A channel is missing if nothing dated changed in it. */
export type Lags = Readonly<Record<string, Lag>>;

export interface Lag {
  readonly changes: number;
  readonly largestMs: number;
  /** How many took at most `longest(step)`, and more than that of the step before; by the step. */
  readonly steps: Readonly<Record<string, number>>;
}

/** What people are told of a channel. */
export interface LagSummary {
  readonly changes: number;
  /** Up to a fifth more than it was. */
  readonly medianMs: number;
  readonly largestMs: number;
}

const SHORTEST_MS = 1_000;
/** Each step is 19 % longer than the one before. */
const STEPS_A_DOUBLING = 4;

export function lagOf(ms: number): Lag {
  const lasted = Math.max(0, Math.round(ms));
  return { changes: 1, largestMs: lasted, steps: { [stepOf(lasted)]: 1 } };
}

export function lagsTogether(all: readonly Lags[]): Lags {
  const sum: Record<string, Lag> = {};
  for (const lags of all) {
    for (const [channel, lag] of Object.entries(lags)) {
      const before = sum[channel];
      sum[channel] = before === undefined ? lag : together(before, lag);
    }
  }
  return sum;
}

/** @returns null if nothing dated changed */
export function summaryOf(lag: Lag | undefined): LagSummary | null {
  if (lag === undefined) return null;
  const { changes, largestMs, steps } = lag;
  let left = Math.ceil(changes / 2);
  for (const [step, count] of Object.entries(steps).sort(([a], [b]) => Number(a) - Number(b))) {
    left -= count;
    if (left <= 0)
      return { changes, medianMs: Math.min(longest(Number(step)), largestMs), largestMs };
  }
  return { changes, medianMs: largestMs, largestMs };
}

function together(one: Lag, other: Lag): Lag {
  const steps: Record<string, number> = { ...one.steps };
  for (const [step, count] of Object.entries(other.steps)) steps[step] = (steps[step] ?? 0) + count;
  return {
    changes: one.changes + other.changes,
    largestMs: Math.max(one.largestMs, other.largestMs),
    steps,
  };
}

function stepOf(ms: number): number {
  return Math.max(0, Math.ceil(STEPS_A_DOUBLING * Math.log2(ms / SHORTEST_MS)));
}

/** Milliseconds that a change of this step took at most. */
function longest(step: number): number {
  return Math.round(SHORTEST_MS * 2 ** (step / STEPS_A_DOUBLING));
}
