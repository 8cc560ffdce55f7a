/**
 * Types of `ApplicationFailure` that cross from activities into workflows. The first group stops a
 * migration: a person has to change something. The second is retried by Temporal.
 */
export const STOPPING_FAILURES = [
  /** 403 in the preflight: the key lacks a scope. Half-way the run waits for another key. */
  'KlaviyoScopeMissing',
  /** The run is about another account than the worker's key. */
  'AccountMismatch',
  /** The list does not exist. */
  'ListNotFound',
  /** SMS rows and an account that cannot send SMS. */
  'SmsNotConfigured',
  /** The list's opt-in process is not the expected one. */
  'OptInProcessUnexpected',
  /** Rows without a consent date, and a historical run that nobody told what to do with them. */
  'ConsentDatesMissing',
  /** Klaviyo refused a request as a whole, whatever its rows. */
  'KlaviyoRequestRefused',
  /** An answer without what Klaviyo's API document promises: reading on could miss an opt-out. */
  'KlaviyoAnswerUnexpected',
  /** The canary did not end as it was planned. */
  'CanaryFailed',
  /** A setting that the run needs is missing or contradicts another. */
  'SettingsInvalid',
  /** PostgreSQL cannot hold a value of a source or of Klaviyo's: it is no use to try again. */
  'LedgerValueRefused',
  /** The ledger has no such migration. */
  'MigrationNotFound',
] as const;

export const RETRYABLE_FAILURES = [
  /** 429, with Klaviyo's `Retry-After`. */
  'KlaviyoRateLimited',
  /** Connection refused or closed, time-out, 5xx. */
  'KlaviyoUnavailable',
  /** 401: the key was revoked; the run waits until a worker has one that works. */
  'KlaviyoKeyRefused',
  /** 403 half-way: the same for a key that may not. */
  'KlaviyoAccessRefused',
  /** The limiter has no free call soon. */
  'LimiterBusy',
  /** The ledger database did not answer. */
  'LedgerUnavailable',
] as const;

export type StoppingFailure = (typeof STOPPING_FAILURES)[number];
export type RetryableFailure = (typeof RETRYABLE_FAILURES)[number];

/** Whether a failure of this type ends a migration. */
export function isStopping(type: string): boolean {
  return STOPPING_FAILURES.some((stopping) => stopping === type);
}
