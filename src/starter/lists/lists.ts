import { createHash } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import type { OptInProcess } from '../../contracts/channels.js';
import type { CreatedList, ListInput } from '../../contracts/lists.js';
import { workflowIds } from '../../contracts/names.js';
import { finishRun, startShortRun } from '../../ledger/index.js';
import type { consentList } from '../../workflows/index.js';
import { newId } from '../ids.js';
import { SettingsError } from '../migrations/request/settings-error.js';
import type { Reach } from '../reach.js';
import { resultOf } from '../stopped.js';

/** A list to create. */
export interface NewList {
  /** Exactly as Klaviyo will have it. */
  readonly name: string;
  readonly optIn: 'single' | 'double';
  /**
   * Klaviyo's id of the account; may be left out if workers for only one use the ledger.
   *
   * @default null
   */
  readonly account?: string | null;
}

/** Klaviyo did not answer in time: the list may have been created. */
export class ListNotCreatedError extends Error {
  override readonly name = 'ListNotCreatedError';
}

/** Long enough for a lost answer, another look and Klaviyo's limit of a minute. */
const CREATE_WITHIN_MS = 5 * 60_000;

/** Creates lists. */
export class Lists {
  constructor(private readonly reach: Reach) {}

  /**
   * Creates a list with an opt-in process. Safe to repeat: if the account has the one list of exactly
   * this name, with this process, that is the answer. No run creates a list.
   *
   * @example
   * const { id } = await consentry.lists.create({ name: 'Ambassadors', optIn: 'double' });
   *
   * @throws SettingsError, NoWorkerError, ListNotCreatedError
   * @throws MigrationStoppedError if the name is taken by a list with another process or by several,
   *   or Klaviyo refuses to create it
   */
  async create({ name, optIn, account = null }: NewList): Promise<CreatedList> {
    requireName(name);
    const { accountId, taskQueue } = await this.reach.workersOf(account);
    const { db } = this.reach.ledger;
    const runId = newId();
    await startShortRun(db, { kind: 'list', id: runId, accountId });
    try {
      const input: ListInput = { runId, name, optInProcess: processOf(optIn) };
      return await resultOf(this.#execute(input, accountId, taskQueue));
    } finally {
      // What was created is worth more than when it ended, which nothing depends on.
      await finishRun(db, runId).catch(() => undefined);
    }
  }

  /** Waits while another execution creates a list of this name: it may ask for another process. */
  async #execute(input: ListInput, accountId: string, taskQueue: string): Promise<CreatedList> {
    const hash = createHash('sha256').update(input.name).digest('hex').slice(0, 16);
    const workflowId = workflowIds.list(accountId, hash);
    const { workflow } = this.reach.client;
    for (;;) {
      try {
        return await workflow.execute<typeof consentList>('consentList', {
          workflowId,
          taskQueue,
          args: [input],
          workflowIdConflictPolicy: 'FAIL',
          workflowExecutionTimeout: CREATE_WITHIN_MS,
          staticSummary: `list ${input.name.slice(0, 100)}`,
        });
      } catch (error) {
        if (isTimeout(error)) throw notCreated(input.name);
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        // However the other one ends, it is this one's turn then.
        await workflow.result(workflowId).catch(ignoreItsEnd);
      }
    }
  }
}

/** @throws SettingsError */
function requireName(name: string): void {
  const problem =
    name.trim() === ''
      ? 'is empty'
      : name !== name.trim()
        ? 'begins or ends with white space'
        : /[\p{Cc}\p{Cs}]/u.test(name)
          ? 'has control characters'
          : null;
  if (problem === null) return;
  throw new SettingsError(
    `The name of the list ${problem}: Klaviyo might store another one, and it would not be found again. Correct it.`,
  );
}

function processOf(optIn: 'single' | 'double'): OptInProcess {
  return `${optIn}_opt_in`;
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
    `Klaviyo did not say within ${CREATE_WITHIN_MS / 60_000} minutes that it created the list "${name}": it does not ` +
      'answer, or the worker is busy. Ask again: if the list is there by then, it is found.',
  );
}
