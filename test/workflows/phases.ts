import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { workflowIds } from '../../src/contracts/names.js';
import type { Phase } from '../../src/contracts/migration.js';
import type { Harness } from '../support/harness.js';

/** How long something is waited for, and how often it is looked for. */
export interface Waiting {
  readonly withinMs: number;
  readonly everyMs: number;
}

const WAITING: Waiting = { withinMs: 30_000, everyMs: 50 };

/** Waits until `holds`, so that a test meets a run at one moment of it. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  { withinMs, everyMs }: Waiting = WAITING,
): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what} did not happen within ${withinMs / 1_000} s`);
    await delay(everyMs);
  }
}

export async function inPhase({ consentry }: Harness, id: string, phase: Phase): Promise<void> {
  await until(
    `phase ${phase}`,
    async () => (await consentry.migrations.progress(id)).phase === phase,
  );
}

/** Waits until the first job of a paused run waits for its resume. */
export async function untilJobWaits({ client }: Harness, id: string): Promise<void> {
  const job = client.workflow.getHandle(workflowIds.job(id, 1));
  await until('a job that waits', async () => {
    try {
      const { raw } = await job.describe();
      const { events } = await job.fetchHistory();
      const hasTimer = events?.some((event) => Boolean(event.timerStartedEventAttributes)) === true;
      return hasTimer && (raw.pendingActivities ?? []).length === 0;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  });
}
