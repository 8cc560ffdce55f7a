import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { workflowIds } from '../../contracts/names.js';
import { SYNC_NOT_STARTED } from '../../contracts/sync.js';
import { beginSyncRun, endSyncRun, SyncIsRunningError, type Sync } from '../../ledger/index.js';
import type { consentSync } from '../../workflows/index.js';
import { newId } from '../ids.js';
import type { Reach } from '../reach.js';

/** A run of a sync that was started, or that was going on. */
export interface StartedSync {
  readonly syncId: string;
  readonly runId: string;
  readonly workflowId: string;
  /** It was going on already. */
  readonly attached: boolean;
}

/** How a run is started. */
export interface SyncStart {
  /** Reads the whole account even if that is not due. */
  readonly full: boolean;
  /** Takes the destination as it is, reads the whole account and compares every row. */
  readonly reset: boolean;
  /** The address of the destination, if only this run has it. */
  readonly secret: string | null;
  /** Somebody waits: a destination that cannot be reached ends the run soon. @default true */
  readonly isWaitedFor?: boolean;
}

/**
 * Starts a run of a sync, or attaches to the one that is working. A run whose execution was
 * terminated is ended in the ledger on the way.
 *
 * @throws SyncIsRunningError if the run that is working would not do what is asked
 */
export async function startSync(
  { client, ledger }: Reach,
  { id: syncId, accountId, destination }: Sync,
  taskQueue: string,
  { full, reset, secret, isWaitedFor = true }: SyncStart,
): Promise<StartedSync> {
  const { db } = ledger;
  const workflowId = workflowIds.sync(syncId);
  const run = { id: newId(), syncId, accountId, workflowId, secret };
  try {
    await beginSyncRun(db, run);
  } catch (error) {
    if (!(error instanceof SyncIsRunningError)) throw error;
    if (await isOpen(client, error.workflowId)) {
      if (full || reset) throw error;
      return { syncId, runId: error.runId, workflowId: error.workflowId, attached: true };
    }
    await endSyncRun(db, error.runId, 'Its execution was terminated.');
    await beginSyncRun(db, run);
  }
  try {
    await client.workflow.start<typeof consentSync>('consentSync', {
      workflowId,
      taskQueue,
      args: [{ syncId, full, reset, isWaitedFor, runId: run.id }],
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: `sync into ${destination.slice(-60)}`,
    });
  } catch (error) {
    await endSyncRun(db, run.id, SYNC_NOT_STARTED);
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new SyncIsRunningError(run.id, workflowId);
  }
  return { syncId, runId: run.id, workflowId, attached: false };
}

/** Whether an execution works. */
export async function isOpen(client: Reach['client'], workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
