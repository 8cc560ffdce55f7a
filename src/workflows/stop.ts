import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  isCancellation,
  rootCause,
} from '@temporalio/workflow';

export interface Stop {
  readonly phase: 'cancelled' | 'failed';
  /** One line for people; null for a cancellation. */
  readonly failure: string | null;
  /** As in `contracts/failures.ts`; null for a cancellation. */
  readonly type: string | null;
  /** What the workflow throws, so that Temporal shows Cancelled or Failed. */
  readonly cause: CancelledFailure | ApplicationFailure;
}

/**
 * Whether an error is the end of a cancelled step. If an attempt fails while its cancellation is on
 * the way, the failure arrives, and its retry state says why there is no retry.
 */
export function isCancelled(error: unknown): boolean {
  if (isCancellation(error)) return true;
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof ActivityFailure && at.retryState === 'CANCEL_REQUESTED') return true;
  }
  return false;
}

/** Distinguishes a cancelled run from one that a failure stopped. */
export function stopOf(error: unknown): Stop {
  if (isCancelled(error)) {
    return {
      phase: 'cancelled',
      failure: null,
      type: null,
      cause: new CancelledFailure('Migration cancelled'),
    };
  }
  const root = innermost(error);
  const message = root?.message ?? rootCause(error) ?? 'unknown failure';
  const type = root?.type ?? 'MigrationFailed';
  return {
    phase: 'failed',
    failure: message,
    type,
    cause: ApplicationFailure.nonRetryable(message, type),
  };
}

/** Failures arrive wrapped in one failure per activity and child; the innermost is the cause. */
function innermost(error: unknown): ApplicationFailure | null {
  let found: ApplicationFailure | null = null;
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure) found = at;
  }
  return found;
}

/** The errors of those that failed, once all have ended. */
export function failuresOf(ended: readonly PromiseSettledResult<unknown>[]): Error[] {
  return ended.flatMap((end) => {
    if (end.status === 'fulfilled') return [];
    return end.reason instanceof Error ? end.reason : new Error(String(end.reason));
  });
}
