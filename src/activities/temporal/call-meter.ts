import { AsyncLocalStorage } from 'node:async_hooks';
import type { Run } from '../../contracts/run.js';
import type { CallCount } from '../../ledger/index.js';
import type { CallRecord } from '../../klaviyo/index.js';

/** The run of an activity that is under way. */
export interface CallingRun extends Run {
  /** The run waits for a key that Klaviyo takes; noted before each call. */
  held: boolean;
  /** Klaviyo took the key all the same. */
  answeredWhileHeld: boolean;
}

interface Measured extends CallingRun {
  readonly counts: Map<string, { calls: number; durationMs: number }>;
}

/** One for the process: every storage that was ever used costs time with each promise. */
const RUNNING = new AsyncLocalStorage<Measured>();

/** Knows which run a call to Klaviyo is made for, though all activities share a client. */
export class CallMeter {
  /** The run of the activity that is calling; null for a call of no run, such as the proof of a key. */
  current(): CallingRun | null {
    return RUNNING.getStore() ?? null;
  }

  /** For the client's `onCall`. */
  readonly record = (call: CallRecord): void => {
    const run = RUNNING.getStore();
    if (run === undefined) return;
    const { counts } = run;
    if (run.held && call.status !== null && call.status >= 200 && call.status < 300) {
      run.answeredWhileHeld = true;
    }
    const key = `${call.endpoint} ${call.status ?? 'none'}`;
    const count = counts.get(key) ?? { calls: 0, durationMs: 0 };
    count.calls += 1;
    count.durationMs += call.durationMs;
    counts.set(key, count);
  };

  /** Runs `work` and hands its counts to `store`, also when it fails. */
  async measure<T>(
    run: Run,
    work: () => Promise<T>,
    store: (counts: CallCount[]) => Promise<void>,
  ): Promise<T> {
    const counts: Measured['counts'] = new Map();
    try {
      const calling = { ...run, held: false, answeredWhileHeld: false, counts };
      return await RUNNING.run(calling, work);
    } finally {
      await store(
        [...counts].map(([key, count]) => {
          const [endpoint = '', status = ''] = key.split(' ');
          return { endpoint, status, ...count };
        }),
      );
    }
  }
}
