import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { queueBeside } from '../contracts/names.js';

/** No worker polls the task queues of the account, so whatever is started would wait forever. */
export class NoWorkerError extends Error {
  override readonly name = 'NoWorkerError';
}

const TRIES = 20;
const TRY_EVERY_MS = 250;

/** The server remembers pollers for minutes; a live one polls at least once a minute. */
const ALIVE_WITHIN_MS = 75_000;

/** `temporal.api.enums.v1.TaskQueueType` */
const TASKS_OF = { workflows: 1, activities: 2 } as const;

interface Queue {
  readonly name: string;
  readonly tasks: keyof typeof TASKS_OF;
}

/**
 * Requires a worker for the workflows of the account, and one for their activities. A worker for
 * activities polls all of the account's task queues, so one of them tells.
 *
 * @throws NoWorkerError if none shows up within a few seconds: one may be just starting
 */
export async function requireWorker(
  client: Client,
  namespace: string,
  { accountId, taskQueue }: { readonly accountId: string; readonly taskQueue: string },
): Promise<void> {
  const queues: readonly Queue[] = [
    { name: taskQueue, tasks: 'workflows' },
    { name: queueBeside(taskQueue, 'steering'), tasks: 'activities' },
  ];
  for (let tries = 0; ; tries++) {
    const polled = await Promise.all(queues.map((queue) => isPolled(client, namespace, queue)));
    const unpolled = queues.find((_queue, at) => polled[at] === false);
    if (unpolled === undefined) return;
    if (tries === TRIES) {
      throw new NoWorkerError(
        `No worker for the Klaviyo account ${accountId} polls the task queue "${unpolled.name}" in namespace ` +
          `"${namespace}" for ${unpolled.tasks}: start one with "npx consentry worker" and a KLAVIYO_API_KEY of that account.`,
      );
    }
    await delay(TRY_EVERY_MS);
  }
}

async function isPolled(
  client: Client,
  namespace: string,
  { name, tasks }: Queue,
): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name },
    taskQueueType: TASKS_OF[tasks],
  });
  const oldest = Date.now() - ALIVE_WITHIN_MS;
  return pollers.some((poller) => Number(poller.lastAccessTime?.seconds ?? 0) * 1_000 > oldest);
}
