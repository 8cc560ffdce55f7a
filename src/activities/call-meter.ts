import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallCount } from '../ledger/index.js';
import type { CallRecord } from '../klaviyo/index.js';

/** Counts the calls to Klaviyo that one activity makes, though all activities share a client. */
export class CallMeter {
  readonly #running = new AsyncLocalStorage<Map<string, { calls: number; durationMs: number }>>();

  /** For the client's `onCall`. */
  readonly record = (call: CallRecord): void => {
    const counts = this.#running.getStore();
    if (counts === undefined) return;
    const key = `${call.endpoint} ${call.status ?? 'none'}`;
    const count = counts.get(key) ?? { calls: 0, durationMs: 0 };
    count.calls += 1;
    count.durationMs += call.durationMs;
    counts.set(key, count);
  };

  /** Runs `work` and hands its counts to `store`, also when it fails. */
  async measure<T>(
    work: () => Promise<T>,
    store: (counts: CallCount[]) => Promise<void>,
  ): Promise<T> {
    const counts = new Map<string, { calls: number; durationMs: number }>();
    try {
      return await this.#running.run(counts, work);
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
