import type { Sandbox } from '../server.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Waits for a signal, closes the sandbox and ends the process by the same signal, so that a shell
 * or a supervisor sees why it ended. A second signal ends it at once.
 */
export async function closeOnSignals(sandbox: Sandbox): Promise<never> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of SIGNALS) process.once(name, resolve);
  });
  await sandbox.close();
  process.kill(process.pid, signal);
  return new Promise(() => undefined);
}
