import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import type { Phase } from '../../contracts/migration.js';
import { MESSAGES } from '../../contracts/names.js';
import { getMigration, steerNow } from '../../ledger/index.js';
import type { Reach } from '../reach.js';
import { MigrationStoppedError } from '../stopped.js';
import { hasEnded } from './ended.js';
import { handleOf } from './handle.js';

/**
 * Tells the ledger first, since every call asks it; then the workflow, which shows it and wakes its
 * jobs.
 */
export async function setPaused(reach: Reach, id: string, paused: boolean): Promise<void> {
  await steer(reach, id, async (handle) => {
    const steering = await steerNow(reach.ledger.db, id, paused);
    const args = steering === null ? [] : [steering];
    await handle.signal(paused ? MESSAGES.pause : MESSAGES.resume, ...args);
  });
}

/** @throws MigrationStoppedError if the run has ended, or the workflow refuses the update */
export async function steer(
  reach: Reach,
  id: string,
  act: (handle: WorkflowHandle) => Promise<void>,
): Promise<void> {
  const { phase } = await getMigration(reach.ledger.db, id);
  // Temporal accepts the cancellation of an ended workflow without an error.
  if (hasEnded(phase)) throw alreadyEnded(id, phase);
  try {
    await act(handleOf(reach, id));
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) {
      throw new MigrationStoppedError(error.cause?.message ?? error.message, 'NotWaiting');
    }
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw alreadyEnded(id, phase);
  }
}

function alreadyEnded(id: string, phase: Phase): MigrationStoppedError {
  return new MigrationStoppedError(`Migration ${id} has already ended (${phase}).`, 'AlreadyEnded');
}
