import { Context } from '@temporalio/activity';

const EVERY_MS = 1_000;

/**
 * Heartbeats while `work` runs: so that a dead worker is noticed within the heartbeat time-out, and
 * so that a cancellation reaches the activity (`signal`) at all.
 */
export async function whileHeartbeating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
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
