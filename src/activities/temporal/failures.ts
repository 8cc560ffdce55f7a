import {
  CancelledFailure,
  ApplicationFailure,
  ApplicationFailureCategory,
} from '@temporalio/common';
import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  Next,
} from '@temporalio/worker';
import { isStopping, withCode, type StoppingFailure } from '../../contracts/failures.js';
import {
  KlaviyoError,
  KlaviyoKeyRefusedError,
  KlaviyoScopeMissingError,
} from '../../klaviyo/index.js';
import { SourceError, type SourceErrorCode } from '../../importers/index.js';
import {
  ActivationNotFoundError,
  LedgerUnavailableError,
  MigrationNotFoundError,
  SegmentAsksElseError,
  SegmentIsRunningError,
  SegmentKeyError,
  SegmentListError,
  SyncIsRunningError,
  SyncNotFoundError,
} from '../../ledger/index.js';
import { DestinationError, MarkerMovedError } from '../../destinations/destination.js';
import { SyncDiffersError, WorkersDifferError } from '../sync/errors.js';
import { runOf } from './run-of.js';

/** The only place where errors of activities become failures that Temporal stores. */
export class FailureMapping implements ActivityInboundCallsInterceptor {
  /** @param activityType type of the running activity */
  constructor(private readonly activityType: string) {}

  async execute(
    input: ActivityExecuteInput,
    next: Next<ActivityInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    try {
      return await next(input);
    } catch (error) {
      const run = runOf(input.headers);
      throw toFailure(error, this.activityType, run !== null && run.kind !== 'migration');
    }
  }
}

/** Klaviyo refuses the key: the run waits for another, since all it sent must be read back. */
export function isKeyRefusal(error: unknown): error is KlaviyoError {
  return error instanceof KlaviyoKeyRefusedError || error instanceof KlaviyoScopeMissingError;
}

/** Expected waits, not faults: no failure metric, no log above debug. */
const EXPECTED: ReadonlySet<string> = new Set(['LimiterBusy', 'KlaviyoRateLimited']);

export function stopping(type: StoppingFailure, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}

/**
 * Makes a failure without personal data. Messages of PostgreSQL and other libraries can quote a
 * row, so only the type and a scrubbed message of unknown errors are kept, never the cause.
 *
 * @param isWaitedFor somebody waits for the answer, so a refused key fails at once
 */
export function toFailure(
  error: unknown,
  activityType = 'an activity',
  isWaitedFor = false,
): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (isAbort(error)) return new CancelledFailure('Activity cancelled');
  if (isKeyRefusal(error)) {
    const access = error instanceof KlaviyoScopeMissingError;
    return ApplicationFailure.create({
      type: isWaitedFor ? error.failure : access ? 'KlaviyoAccessRefused' : error.failure,
      message: error.message,
      nonRetryable: isWaitedFor,
    });
  }
  if (error instanceof KlaviyoError) {
    const retryAfterMs =
      'retryAfterMs' in error && typeof error.retryAfterMs === 'number' ? error.retryAfterMs : null;
    return ApplicationFailure.create({
      type: error.failure,
      message: error.message,
      nonRetryable: isStopping(error.failure),
      ...(retryAfterMs === null ? {} : { nextRetryDelay: retryAfterMs }),
      ...(EXPECTED.has(error.failure) ? { category: ApplicationFailureCategory.BENIGN } : {}),
    });
  }
  const known = syncFailure(error) ?? segmentFailure(error);
  if (known !== null) return known;
  if (error instanceof MigrationNotFoundError) return stopping('MigrationNotFound', error.message);
  const code = sqlState(error);
  if (code !== null && REFUSED_VALUES.has(code.slice(0, 2))) {
    return stopping(
      'LedgerValueRefused',
      `The ledger database cannot store a value from ${activityType} (SQLSTATE ${code}): the run ` +
        'stops, since a retry would not help. This is a bug in Consentry; please report it.',
    );
  }
  if (code !== null || error instanceof LedgerUnavailableError) {
    return ApplicationFailure.create({
      type: 'LedgerUnavailable',
      message: `A query of the ledger database failed (${code ?? 'no connection'}). It is retried.`,
    });
  }
  const name = error instanceof Error ? error.name : typeof error;
  const message = error instanceof Error ? error.message : String(error);
  return ApplicationFailure.create({ type: name, message: withoutPeople(message) });
}

/** The database may answer again. */
const PASSING: ReadonlySet<SourceErrorCode> = new Set(['database_unreachable', 'database_lost']);

/** Failures of segments: their messages are our own; those of a source may quote a cell. */
function segmentFailure(error: unknown): ApplicationFailure | null {
  if (error instanceof SourceError) {
    const message = withCode(withoutPeople(error.message), error.code);
    return PASSING.has(error.code)
      ? ApplicationFailure.create({ type: 'SourceUnavailable', message })
      : stopping('SourceUnusable', message);
  }
  if (
    error instanceof SegmentKeyError ||
    error instanceof SegmentAsksElseError ||
    error instanceof SegmentListError
  ) {
    return stopping('SegmentRefused', withCode(error.message, error.code));
  }
  if (error instanceof SegmentIsRunningError) return stopping('SegmentIsRunning', error.message);
  if (error instanceof ActivationNotFoundError) {
    return stopping('ActivationNotFound', error.message);
  }
  return null;
}

/** Failures of syncs: their messages are our own, and name databases and tables, but no person. */
function syncFailure(error: unknown): ApplicationFailure | null {
  if (error instanceof DestinationError) {
    if (!error.passing) return stopping('DestinationUnusable', error.message);
    return ApplicationFailure.create({ type: 'DestinationUnavailable', message: error.message });
  }
  if (error instanceof MarkerMovedError) {
    return ApplicationFailure.create({ type: 'MarkerMoved', message: error.message });
  }
  if (error instanceof SyncDiffersError) return stopping('SyncDiffers', error.message);
  if (error instanceof WorkersDifferError) return stopping('WorkersDiffer', error.message);
  if (error instanceof SyncIsRunningError) return stopping('SyncIsRunning', error.message);
  return error instanceof SyncNotFoundError ? stopping('SyncNotFound', error.message) : null;
}

/** The failure, if no retry can fix it; otherwise null. */
export function stoppingFailure(error: unknown): ApplicationFailure | null {
  const failure = toFailure(error);
  return failure instanceof ApplicationFailure && failure.nonRetryable === true ? failure : null;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** SQLSTATE classes for a refused value: 22007 is an invalid date, 54000 a key that is too long. */
const REFUSED_VALUES: ReadonlySet<string> = new Set(['22', '54']);

/** PostgreSQL's SQLSTATE, or Node's code of a lost connection. */
function sqlState(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string')
    return null;
  return /^([0-9A-Z]{5}|E[A-Z]+)$/.test(error.code) ? error.code : null;
}

/** Replaces everything that looks like an e-mail address or a phone number. */
export function withoutPeople(text: string): string {
  return text
    .replace(/[^\s"'<>=,;:()]+@[^\s"'<>=,;:()]+/g, '<e-mail>')
    .replace(/\+?\d[\d\s().-]{6,}\d/g, '<number>');
}
