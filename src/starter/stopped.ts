import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { FailureType } from '../contracts/failures.js';

/** A run was stopped by a failure, or cannot do what it was told. */
export class MigrationStoppedError extends Error {
  override readonly name = 'MigrationStoppedError';
  constructor(
    message: string,
    /** A type of `contracts/failures.ts`, or why the request was refused, such as `AlreadyEnded`. */
    readonly failureType: FailureType,
  ) {
    super(message);
  }
}

/** Whether the account does not have the list that was asked for, or not only one. */
export function isListNotFound(error: unknown): error is MigrationStoppedError {
  return error instanceof MigrationStoppedError && error.failureType === 'ListNotFound';
}

/**
 * The result of a workflow.
 *
 * @throws MigrationStoppedError with the message of the activity that failed
 * @throws CancelledFailure if it was cancelled
 */
export async function resultOf<T>(execution: Promise<T>): Promise<T> {
  try {
    return await execution;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    if (error.cause instanceof CancelledFailure) throw error.cause;
    const failure = innermost(error);
    // Activities and workflows throw no other types.
    const type = (failure?.type ?? 'Unknown') as FailureType;
    throw new MigrationStoppedError(failure?.message ?? error.message, type);
  }
}

/** The failure that an activity threw, below the failures that workflows wrap around it. */
function innermost(error: Error): ApplicationFailure | null {
  let found: ApplicationFailure | null = null;
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure) found = at;
  }
  return found;
}
