/**
 * Types of `ApplicationFailure` that activities throw to workflows. The first group stops a
 * migration: a person has to change something. Temporal retries the second.
 */
export const STOPPING_FAILURES = [
  /**
   * 403 in the preflight: the key lacks a scope. Later in the run, the run waits for another key
   * instead.
   */
  'KlaviyoScopeMissing',
  /** The run is for another account than the worker's key. */
  'AccountMismatch',
  /** The list does not exist. */
  'ListNotFound',
  /** There are SMS rows, but the account cannot send SMS. */
  'SmsNotConfigured',
  /** The list's opt-in process is not the expected one. */
  'OptInProcessUnexpected',
  /** A historical run has rows without a consent date, and no setting says what to do with them. */
  'ConsentDatesMissing',
  /** Klaviyo refused a whole request, not single rows. */
  'KlaviyoRequestRefused',
  /** An answer lacks what Klaviyo's API specification promises: reading on could miss an opt-out. */
  'KlaviyoAnswerUnexpected',
  /** The canary did not end as planned. */
  'CanaryFailed',
  /** A setting that the run needs is missing or contradicts another. */
  'SettingsInvalid',
  /** PostgreSQL cannot store a value of the source or of Klaviyo: a retry would not help. */
  'LedgerValueRefused',
  /** A workflow worker of another version of Consentry asked for the activity. */
  'WorkersDiffer',
  /** The ledger has no such migration. */
  'MigrationNotFound',
  /** A sync cannot write to its destination as it is. */
  'DestinationUnusable',
  /** A sync's destination and the ledger speak of different states. */
  'SyncDiffers',
  /** Another run of the sync is working. */
  'SyncIsRunning',
  /** The ledger has no such sync. */
  'SyncNotFound',
  /** The people of a segment cannot be told apart, or its source says what a segment does not. */
  'SegmentRefused',
  /** The source of a segment cannot be read as it is. */
  'SourceUnusable',
  /** Another run of the segment's program is working. */
  'SegmentIsRunning',
  /** The ledger has no such segment that runs by itself. */
  'ActivationNotFound',
] as const;

export const RETRYABLE_FAILURES = [
  /** 429, with Klaviyo's `Retry-After`. */
  'KlaviyoRateLimited',
  /** Connection refused or closed, time-out, 5xx. */
  'KlaviyoUnavailable',
  /** 401: the key was revoked; the run waits until a worker has one that works. */
  'KlaviyoKeyRefused',
  /** 403 after the preflight: the same for a key that lacks the permission. */
  'KlaviyoAccessRefused',
  /** The limiter will have no free call soon. */
  'LimiterBusy',
  /** The ledger database did not answer. */
  'LedgerUnavailable',
  /** The destination of a sync did not answer. */
  'DestinationUnavailable',
  /** Another worker wrote to the destination meanwhile: the step begins again where that one is. */
  'MarkerMoved',
  /** The database with the people of a segment did not answer. */
  'SourceUnavailable',
] as const;

/** Why a request about a run was refused, or how else a workflow ended. */
export const REFUSED_REQUESTS = [
  /** The run has ended already. */
  'AlreadyEnded',
  /** The run has not ended yet. */
  'NotEnded',
  /** Nothing of it failed in a way that another try would change. */
  'NothingToRetry',
  /** A run of this kind is not tried again by its rows. */
  'NotRetried',
  /** It waits for no answer. */
  'NotWaiting',
  /** Its workflow was terminated in Temporal. */
  'MigrationTerminated',
  /** Temporal says no more than that it failed. */
  'Unknown',
] as const;

/** Why a segment was not compared with its source. */
export const SEGMENT_REFUSALS = [
  'key_missing',
  'key_twice',
  'key_of_another_form',
  'segment_asks_else',
  'segment_list_changed',
  'segment_running',
  'segment_braked',
] as const;
export type SegmentRefusal = (typeof SEGMENT_REFUSALS)[number];

export type FailureType = StoppingFailure | RetryableFailure | (typeof REFUSED_REQUESTS)[number];
export type StoppingFailure = (typeof STOPPING_FAILURES)[number];
export type RetryableFailure = (typeof RETRYABLE_FAILURES)[number];

/** Whether a failure of this type ends a migration. */
export function isStopping(type: string): boolean {
  return STOPPING_FAILURES.some((stopping) => stopping === type);
}

/** A message with its stable key, which docs/errors.md explains. */
export function withCode(message: string, code: string): string {
  return `${message} [${code}]`;
}
