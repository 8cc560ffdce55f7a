import { AsyncLocalStorage } from 'node:async_hooks';
import type { Run } from '../../contracts/run.js';
import type { CallCount } from '../../ledger/index.js';
import type { CallRecord } from '../../klaviyo/index.js';

/** The run of a running activity. */
export interface CallingRun extends Run {
  /** The run waits for a key that Klaviyo accepts; set before each call. */
  held: boolean;
  /** Klaviyo accepted the key although the run was held. */
  answeredWhileHeld: boolean;
}

interface Measured extends CallingRun {
  readonly counts: Map<string, { calls: number; durationMs: number }>;
}

/** One per process: every storage that was ever used costs time with each promise. */
const RUNNING = new AsyncLocalStorage<Measured>();

/** Knows which run a call to Klaviyo is for, although all activities share a client. */
export class CallMeter {
  /** The run of the calling activity; null for a call without a run, such as proving a key. */
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

  /** Runs `work` and passes its counts to `store`, even if it fails. */
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
