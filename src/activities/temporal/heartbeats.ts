import { setMaxListeners } from 'node:events';
import { Context } from '@temporalio/activity';

const EVERY_MS = 1_000;

/**
 * Heartbeats while `work` runs, so that Temporal notices a dead worker within the heartbeat
 * timeout, and so that a cancellation reaches the activity (`signal`).
 */
export async function whileHeartbeating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  // Not a leak: each of some 24 concurrent calls listens until it ends.
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
