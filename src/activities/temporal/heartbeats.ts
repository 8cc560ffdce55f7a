import { setMaxListeners } from 'node:events';
import { Context } from '@temporalio/activity';

const EVERY_MS = 1_000;

/**
 * Heartbeats while `work` runs: so that a dead worker is noticed within the heartbeat time-out, and
 * so that a cancellation reaches the activity (`signal`) at all.
 */
export async function whileHeartbeating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  // Each of some 24 calls that are under way at once listens, and goes with its end: no leak.
  setMaxListeners(0, context.cancellationSignal);
  context.heartbeat();
  const timer = setInterval(() => {
    context.heartbeat();
  }, EVERY_MS);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
