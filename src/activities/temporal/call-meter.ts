import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallCount } from '../../ledger/index.js';
import type { CallRecord } from '../../klaviyo/index.js';

/** The migration that an activity works for. */
export interface Run {
  readonly migrationId: string;
  /** The run waits for a key that Klaviyo takes; noted before each call. */
  held: boolean;
  /** Klaviyo took the key all the same. */
  answeredWhileHeld: boolean;
}

interface Measured extends Run {
  readonly counts: Map<string, { calls: number; durationMs: number }>;
}

/** One for the process: every storage that was ever used costs time with each promise. */
const RUNNING = new AsyncLocalStorage<Measured>();

/** Knows which migration a call to Klaviyo is made for, though all activities share a client. */
export class CallMeter {
  /** The migration of the activity that is asking; null for a check without one. */
  current(): Run | null {
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
    { migrationId }: Pick<Run, 'migrationId'>,
    work: () => Promise<T>,
    store: (counts: CallCount[]) => Promise<void>,
  ): Promise<T> {
    const counts: Measured['counts'] = new Map();
    try {
      const run = { migrationId, held: false, answeredWhileHeld: false, counts };
      return await RUNNING.run(run, work);
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
