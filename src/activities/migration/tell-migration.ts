import { setTimeout as delay } from 'node:timers/promises';
import { getClient, log } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { TellPastSubmit } from '../../contracts/migration.js';
import { MESSAGES, workflowIds } from '../../contracts/names.js';
import { countJobsPastSubmit } from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';

/** Tells a migration that its run is stopped in the ledger. */
export async function tellStopped(migrationId: string): Promise<void> {
  await signalMigration(migrationId, MESSAGES.stopped, []);
}

/**
 * Tells a migration how many jobs are past their submit, whenever there are enough more, while
 * `work` goes on: one read of Klaviyo's feeds may take minutes.
 *
 * @param tell null if the migration does not need to know
 */
export async function whileTelling<T>(
  { ledger }: Pick<ActivityDependencies, 'ledger'>,
  migrationId: string,
  tell: (TellPastSubmit & { readonly everyMs: number }) | null,
  work: () => Promise<T>,
): Promise<T> {
  if (tell === null) return work();
  const ended = new AbortController();
  let { known } = tell;
  const telling = repeat(ended.signal, tell.everyMs, async () => {
    const jobs = await countJobsPastSubmit(ledger.db, migrationId);
    if (jobs < known + tell.atLeast) return;
    await signalMigration(migrationId, MESSAGES.pastSubmit, [jobs]);
    known = jobs;
  });
  try {
    return await work();
  } finally {
    ended.abort();
    await telling;
  }
}

/** What fails is tried again after the next pause. */
async function repeat(
  signal: AbortSignal,
  everyMs: number,
  act: () => Promise<void>,
): Promise<void> {
  while (await pause(everyMs, signal)) {
    try {
      await act();
    } catch (failure) {
      log.warn('A migration was not told how far its jobs are', { failure: String(failure) });
    }
  }
}

/** @returns whether it was not aborted */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  // A timer fails only when it is aborted.
  return delay(ms, true, { signal }).catch(() => false);
}

async function signalMigration(
  migrationId: string,
  message: string,
  args: readonly [number] | readonly [],
): Promise<void> {
  try {
    await getClient()
      .workflow.getHandle(workflowIds.migration(migrationId))
      .signal(message, ...args);
  } catch (error) {
    // It has ended: nothing to signal.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
