import type { Patience } from './patience.js';

/**
 * The health of an endpoint. After several failures in a row its calls wait, and then one call at a
 * time may probe it: thousands of callers would bring a recovering server down again. Times are
 * those of `performance.now()`; calls are numbered.
 */
export type EndpointHealth =
  | { readonly state: 'well'; readonly failuresInRow: number }
  | {
      readonly state: 'failing';
      /** Pauses so far, including the current one. */
      readonly pauses: number;
      readonly closedUntil: number;
      /** The call that probes it; null if none does. */
      readonly probe: number | null;
    };

export const WELL: EndpointHealth = { state: 'well', failuresInRow: 0 };

/** Whether a call may be made; if not, until when to wait: null if that depends on the probe. */
export type Admission =
  | { readonly admitted: true; readonly health: EndpointHealth }
  | { readonly admitted: false; readonly waitMs: number | null };

/**
 * How a call ended. `undecided`: it says nothing about the endpoint, since it was not made, was
 * cancelled, or was stopped by the key (401, 403) or the rate limit (429).
 */
export interface CallEnd {
  readonly call: number;
  readonly verdict: 'worked' | 'failed' | 'undecided';
  /** The wait that a 503 asked for. */
  readonly retryAfterMs: number | null;
}

export function admit(health: EndpointHealth, call: number, now: number): Admission {
  if (health.state === 'well') return { admitted: true, health };
  if (health.probe !== null) return { admitted: false, waitMs: null };
  const waitMs = health.closedUntil - now;
  if (waitMs > 0) return { admitted: false, waitMs };
  return { admitted: true, health: { ...health, probe: call } };
}

/** Whether an admitted call may still be made after it waited for the limiter. */
export function stillAdmits(health: EndpointHealth, call: number): boolean {
  return health.state === 'well' || health.probe === call;
}

/** Any success ends a pause; only a failed probe lengthens it. */
export function afterCall(
  health: EndpointHealth,
  { call, verdict, retryAfterMs }: CallEnd,
  patience: Patience,
  now: number,
  random: number = Math.random(),
): EndpointHealth {
  if (verdict === 'worked') return WELL;
  const isProbe = health.state === 'failing' && health.probe === call;
  if (verdict === 'undecided') return isProbe ? { ...health, probe: null } : health;
  if (health.state === 'well') {
    const failuresInRow = health.failuresInRow + 1;
    if (failuresInRow < patience.failuresInRow) return { state: 'well', failuresInRow };
  } else if (!isProbe) {
    // It was under way when the pause began: the same outage, not a longer one.
    return health;
  }
  const pauses = health.state === 'well' ? 1 : health.pauses + 1;
  const pause = pauseMs(pauses, patience);
  // At least half of it; otherwise chance could let the next probe go at once.
  const jittered = pause / 2 + (random * pause) / 2;
  const closedUntil = now + Math.max(jittered, retryAfterMs ?? 0);
  return { state: 'failing', pauses, closedUntil, probe: null };
}

/** The longest duration of pause number `pauses` (from 1), without the wait that a 503 asks for. */
export function pauseMs(pauses: number, patience: Patience): number {
  return Math.min(patience.longestPauseMs, patience.pauseMs * 2 ** (pauses - 1));
}
