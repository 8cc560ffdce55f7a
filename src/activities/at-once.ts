import { setMaxListeners } from 'node:events';

/**
 * Does something for each item, for some of them at once. After the first failure nothing more begins; what
 * is going on is aborted and waited for, so nothing goes on behind the caller's back.
 *
 * @param work gets a signal that is also aborted when another item fails
 * @throws the first failure, or the reason of `signal`
 */
export async function atOnce<T>(
  items: readonly T[],
  most: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  // Each of them listens, several times.
  setMaxListeners(0, either);
  const failures: unknown[] = [];
  const queue = items.values();
  const workUntilStopped = async (): Promise<void> => {
    for (const item of queue) {
      try {
        either.throwIfAborted();
        await work(item, either);
      } catch (error) {
        failures.push(error);
        stop.abort(error);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, workUntilStopped));
  if (failures.length > 0) throw failures[0];
}

/**
 * Does several things at once, each of them once. When one fails, the others are aborted and waited for.
 *
 * @returns what they returned, in their order
 * @throws the first failure, or the reason of `signal`
 */
export async function together<T extends unknown[]>(
  signal: AbortSignal,
  ...works: { [K in keyof T]: (signal: AbortSignal) => Promise<T[K]> }
): Promise<T> {
  const done: unknown[] = [];
  await atOnce([...works.entries()], works.length, signal, async ([n, work], either) => {
    done[n] = await work(either);
  });
  return done as T;
}
