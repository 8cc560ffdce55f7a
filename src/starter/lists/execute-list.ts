import { createHash } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import type { CreatedList, ListInput } from '../../contracts/lists.js';
import { workflowIds } from '../../contracts/names.js';
import { finishRun, startShortRun } from '../../ledger/index.js';
import type { consentList } from '../../workflows/index.js';
import { newId } from '../ids.js';
import type { Reach } from '../reach.js';
import { resultOf } from '../stopped.js';

/** Klaviyo did not answer in time: the list may have been created. */
export class ListNotCreatedError extends Error {
  override readonly name = 'ListNotCreatedError';
}

/** Long enough for a lost answer, another look and Klaviyo's limit of a minute. */
const WITHIN_MS = 5 * 60_000;

/**
 * Lets a worker find the list of this name, and create it if asked.
 *
 * @returns null if it is not there and is not to be created
 * @throws SettingsError, NoWorkerError, ListNotCreatedError, MigrationStoppedError
 */
export async function executeList(
  reach: Reach,
  account: string | null,
  list: Omit<ListInput, 'runId'>,
): Promise<CreatedList | null> {
  const { accountId, taskQueue } = await reach.workersOf(account);
  const { db } = reach.ledger;
  const runId = newId();
  await startShortRun(db, { kind: 'list', id: runId, accountId });
  try {
    return await resultOf(inTurn(reach, { runId, ...list }, accountId, taskQueue));
  } finally {
    // What was created is worth more than when it ended, which nothing depends on.
    await finishRun(db, runId).catch(() => undefined);
  }
}

/** Waits while another execution looks for this name or creates it: it may want another process. */
async function inTurn(
  { client }: Reach,
  input: ListInput,
  accountId: string,
  taskQueue: string,
): Promise<CreatedList | null> {
  const hash = createHash('sha256').update(input.name).digest('hex').slice(0, 16);
  const workflowId = workflowIds.list(accountId, hash);
  for (;;) {
    try {
      return await client.workflow.execute<typeof consentList>('consentList', {
        workflowId,
        taskQueue,
        args: [input],
        workflowIdConflictPolicy: 'FAIL',
        workflowExecutionTimeout: WITHIN_MS,
        staticSummary: `list ${input.name.slice(0, 100)}`,
      });
    } catch (error) {
      if (isTimeout(error)) throw notCreated(input.name);
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      // However the other one ends, it is this one's turn then.
      await client.workflow.result(workflowId).catch(ignoreItsEnd);
    }
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof WorkflowFailedError && error.cause instanceof TimeoutFailure;
}

/** @throws anything but the failure of the workflow */
function ignoreItsEnd(error: unknown): void {
  if (!(error instanceof WorkflowFailedError)) throw error;
}

function notCreated(name: string): ListNotCreatedError {
  return new ListNotCreatedError(
    `Klaviyo did not say within ${WITHIN_MS / 60_000} minutes whether the list "${name}" is there: it does not answer, ` +
      'or the worker is busy. Ask again: if the list was created meanwhile, it is found.',
  );
}
