import type { EndpointName } from '../endpoints.js';
import { EndpointPausedError } from '../errors.js';
import {
  admit,
  afterCall,
  pauseMs,
  stillAdmits,
  WELL,
  type CallEnd,
  type EndpointHealth,
} from './endpoint-health.js';
import type { Patience } from './patience.js';

/** Permission to make one call; `end` must be called with its result. */
export interface Pass {
  /** Whether the call may still be made after it waited for the limiter. */
  holds(): boolean;
  end(verdict: CallEnd['verdict'], retryAfterMs?: number | null): void;
}

/** Slows down endpoints that keep failing, each by its own health. */
export class EndpointPacing {
  readonly #patience: Patience;
  readonly #lanes = new Map<EndpointName, Lane>();
  #calls = 0;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /**
   * Waits until a call of the endpoint may be made: not at all while it is healthy.
   *
   * @throws EndpointPausedError if that is longer than a caller is held; `signal.reason`
   */
  async enter(endpoint: EndpointName, signal?: AbortSignal): Promise<Pass> {
    const lane = this.#laneOf(endpoint);
    const call = (this.#calls += 1);
    const heldUntil = performance.now() + this.#patience.holdMs;
    for (;;) {
      signal?.throwIfAborted();
      const now = performance.now();
      const admission = admit(lane.health, call, now);
      if (admission.admitted) {
        lane.health = admission.health;
        return this.#passOf(lane, call);
      }
      const leftMs = heldUntil - now;
      const waitMs = admission.waitMs ?? leftMs;
      if (leftMs <= 0 || waitMs > leftMs) {
        throw new EndpointPausedError(endpoint, Math.ceil(admission.waitMs ?? this.#pauseOf(lane)));
      }
      await lane.changeWithin(waitMs, signal);
    }
  }

  #passOf(lane: Lane, call: number): Pass {
    return {
      holds: () => stillAdmits(lane.health, call),
      end: (verdict, retryAfterMs = null) => {
        const end = { call, verdict, retryAfterMs };
        lane.become(afterCall(lane.health, end, this.#patience, performance.now()));
      },
    };
  }

  #laneOf(endpoint: EndpointName): Lane {
    const lane = this.#lanes.get(endpoint) ?? new Lane();
    this.#lanes.set(endpoint, lane);
    return lane;
  }

  /** Roughly the pause that follows if the current probe fails. */
  #pauseOf({ health }: Lane): number {
    return health.state === 'well' ? 0 : pauseMs(health.pauses + 1, this.#patience);
  }
}

/** The calls of one endpoint. */
class Lane {
  health: EndpointHealth = WELL;
  readonly #waiting = new Set<() => void>();

  become(health: EndpointHealth): void {
    if (health === this.health) return;
    this.health = health;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Waits until the health changes, at most `ms`. */
  changeWithin(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.ceil(ms));
      signal?.addEventListener('abort', wake, { once: true });
      this.#waiting.add(wake);
    });
  }
}
