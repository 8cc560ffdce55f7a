import type { Sandbox } from '../server.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Waits until a signal comes, closes the sandbox and ends the process by that same signal, which
 * tells a shell or a supervisor the truth about why it ended. A second signal ends it at once.
 */
export async function closeOnSignals(sandbox: Sandbox): Promise<never> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of SIGNALS) process.once(name, resolve);
  });
  await sandbox.close();
  process.kill(process.pid, signal);
  return new Promise(() => undefined);
}
