import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';

/** No worker polls the task queue of the account, so whatever is started would wait forever. */
export class NoWorkerError extends Error {
  override readonly name = 'NoWorkerError';
}

const TRIES = 20;
const TRY_EVERY_MS = 250;

/** The server remembers pollers for minutes; a live one polls at least once a minute. */
const ALIVE_WITHIN_MS = 75_000;

/** `temporal.api.enums.v1.TaskQueueType` */
const WORKFLOW_TASK_QUEUE = 1;

/** @throws NoWorkerError if none shows up within a few seconds: one may be just starting */
export async function requireWorker(
  client: Client,
  namespace: string,
  { accountId, taskQueue }: { readonly accountId: string; readonly taskQueue: string },
): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: WORKFLOW_TASK_QUEUE,
    });
    const oldest = Date.now() - ALIVE_WITHIN_MS;
    if (pollers.some((poller) => Number(poller.lastAccessTime?.seconds ?? 0) * 1_000 > oldest)) {
      return;
    }
    await delay(TRY_EVERY_MS);
  }
  throw new NoWorkerError(
    `No worker for the Klaviyo account ${accountId} polls the task queue "${taskQueue}" in namespace ` +
      `"${namespace}": start one with "npx consentry worker" and a KLAVIYO_API_KEY of that account.`,
  );
}
