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
import { isStopping, type StoppingFailure } from '../../contracts/failures.js';
import {
  KlaviyoError,
  KlaviyoKeyRefusedError,
  KlaviyoScopeMissingError,
} from '../../klaviyo/index.js';
import { LedgerUnavailableError, MigrationNotFoundError } from '../../ledger/index.js';
import { runOf } from './run-of.js';

/** The one place where errors of activities become failures that Temporal stores. */
export class FailureMapping implements ActivityInboundCallsInterceptor {
  /** @param activityType of the activity that is carried out */
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

/** A key that is refused: a run waits for another one, since whatever it has sent must be read back. */
export function isKeyRefusal(error: unknown): error is KlaviyoError {
  return error instanceof KlaviyoKeyRefusedError || error instanceof KlaviyoScopeMissingError;
}

/** Waits that are part of the plan, not faults: no failure metric, no log above debug. */
const EXPECTED: ReadonlySet<string> = new Set(['LimiterBusy', 'KlaviyoRateLimited']);

export function stopping(type: StoppingFailure, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}

/**
 * A failure without personal data: what PostgreSQL and other libraries say can quote a row, so of
 * unknown errors only the kind and a scrubbed message cross over, never the cause.
 *
 * @param isWaitedFor somebody waits for the answer, and is told at once that the key is refused
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
  if (error instanceof MigrationNotFoundError) return stopping('MigrationNotFound', error.message);
  const code = sqlState(error);
  if (code !== null && REFUSED_VALUES.has(code.slice(0, 2))) {
    return stopping(
      'LedgerValueRefused',
      `The ledger database cannot hold a value that ${activityType} wanted to keep (SQLSTATE ${code}): the ` +
        'run stops, as trying again would not help. This is a fault of Consentry; please report it.',
    );
  }
  if (code !== null || error instanceof LedgerUnavailableError) {
    return ApplicationFailure.create({
      type: 'LedgerUnavailable',
      message: `The ledger database did not do what was asked (${code ?? 'no connection'}). It is tried again.`,
    });
  }
  const name = error instanceof Error ? error.name : typeof error;
  const message = error instanceof Error ? error.message : String(error);
  return ApplicationFailure.create({ type: name, message: withoutPeople(message) });
}

/** What no retry mends, as a person is told of it; null of everything else. */
export function stoppingFailure(error: unknown): ApplicationFailure | null {
  const failure = toFailure(error);
  return failure instanceof ApplicationFailure && failure.nonRetryable === true ? failure : null;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** Classes of SQLSTATE for a value that is refused: 22007 is a date that is none, 54000 a key too long. */
const REFUSED_VALUES: ReadonlySet<string> = new Set(['22', '54']);

/** PostgreSQL's SQLSTATE, or Node's code of a lost connection. */
function sqlState(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string')
    return null;
  return /^([0-9A-Z]{5}|E[A-Z]+)$/.test(error.code) ? error.code : null;
}

/** Blanks out what looks like an e-mail address or a phone number. */
export function withoutPeople(text: string): string {
  return text
    .replace(/[^\s"'<>=,;:()]+@[^\s"'<>=,;:()]+/g, '<e-mail>')
    .replace(/\+?\d[\d\s().-]{6,}\d/g, '<number>');
}
