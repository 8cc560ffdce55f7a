import { isGrpcServiceError, ServiceError } from '@temporalio/client';
import { withCode, type FailureType } from '../contracts/failures.js';
import { SourceError } from '../importers/index.js';
import {
  DestinationTakenError,
  LedgerUnavailableError,
  MigrationNotFoundError,
  SegmentAsksElseError,
  ActivationNotFoundError,
  SegmentBrakedError,
  SegmentIsRunningError,
  SegmentListError,
  SegmentKeyError,
  SyncIsRunningError,
  SyncNotFoundError,
} from '../ledger/index.js';
import { ConfigError } from '../runtime/config.js';
import { NoEnvironmentError } from '../runtime/local/dev-state.js';
import { DatabaseHeldError } from '../runtime/local/postgres/recovery.js';
import { TemporalUnreachableError } from '../starter/connect.js';
import { KlaviyoError } from '../klaviyo/index.js';
import { MigrationStoppedError } from '../starter/stopped.js';
import { ListNotCreatedError } from '../starter/lists/execute-list.js';
import { PersonNotReadError } from '../starter/people/live-consent.js';
import { NoWorkerError } from '../starter/worker-check.js';
import { ConfigFileError } from '../starter/programs/file/problems.js';
import { SettingsError } from '../starter/migrations/request/settings-error.js';
import { UsageError } from './ended.js';
import { EXIT, type ExitCode } from './exit-codes.js';

export interface Failure {
  readonly exitCode: ExitCode;
  /** For stderr. */
  readonly message: string;
}

/** What the account forbids. The preflight finds it before anything is sent. */
const ACCOUNT_REFUSALS: ReadonlySet<FailureType> = new Set([
  'KlaviyoKeyRefused',
  'KlaviyoScopeMissing',
  'ListNotFound',
  'SmsNotConfigured',
  'OptInProcessUnexpected',
  'ConsentDatesMissing',
]);

/** The request makes no sense for this migration, or not at this time. */
const WRONG_MOMENT: ReadonlySet<FailureType> = new Set([
  'AlreadyEnded',
  'NotEnded',
  'NothingToRetry',
  'NotRetried',
  'SettingsInvalid',
  'NotWaiting',
]);

/** The message and the exit code for what a verb threw. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { exitCode: EXIT.unexpected, message: String(error) };
  if (isLostConnection(error)) {
    return { exitCode: EXIT.unreachable, message: `${error.message}\n${CONNECTION_LOST}` };
  }
  const exitCode = exitCodeOf(error);
  if (exitCode === EXIT.unexpected) return { exitCode, message: unexpected(error) };
  const code = codeOf(error);
  // docs/errors.md has it, with a remedy.
  return { exitCode, message: code === null ? error.message : withCode(error.message, code) };
}

/** Stable key of an error; null if its message alone says what is wrong, such as which flag. */
function codeOf(error: Error): string | null {
  if (error instanceof MigrationStoppedError) return error.failureType;
  if (error instanceof KlaviyoError) return error.failure;
  const coded = [
    SourceError,
    SegmentKeyError,
    SegmentAsksElseError,
    SegmentBrakedError,
    SegmentIsRunningError,
    SegmentListError,
  ];
  return isAbout(error, coded) && 'code' in error ? String(error.code) : null;
}

const CONNECTION_LOST =
  'The connection to Temporal or PostgreSQL was lost: check that both are running. A started migration goes on.';

function exitCodeOf(error: Error): ExitCode {
  if (
    isAbout(error, [
      SourceError,
      SettingsError,
      ConfigError,
      ConfigFileError,
      UsageError,
      MigrationNotFoundError,
      SegmentIsRunningError,
      SegmentListError,
      ActivationNotFoundError,
      SyncNotFoundError,
      SyncIsRunningError,
      DestinationTakenError,
    ])
  ) {
    return EXIT.usage;
  }
  if (isAbout(error, [SegmentKeyError, SegmentAsksElseError, SegmentBrakedError]))
    return EXIT.refused;
  if (error instanceof MigrationStoppedError) return exitCodeOfStop(error.failureType);
  // A worker's key was refused.
  if (error instanceof KlaviyoError) return exitCodeOfStop(error.failure);
  const unreachable = [
    NoWorkerError,
    PersonNotReadError,
    ListNotCreatedError,
    NoEnvironmentError,
    LedgerUnavailableError,
    DatabaseHeldError,
    TemporalUnreachableError,
  ];
  if (isAbout(error, unreachable)) return EXIT.unreachable;
  return EXIT.unexpected;
}

/** @param failureType as in `contracts/failures.ts`, or `AlreadyEnded` */
export function exitCodeOfStop(failureType: FailureType): ExitCode {
  if (WRONG_MOMENT.has(failureType)) return EXIT.usage;
  return ACCOUNT_REFUSALS.has(failureType) ? EXIT.refused : EXIT.stopped;
}

type ErrorClass = abstract new (...args: never[]) => Error;

function isAbout(error: Error, classes: readonly ErrorClass[]): boolean {
  return classes.some((kind) => error instanceof kind);
}

const UNAVAILABLE = 14;
const DEADLINE_EXCEEDED = 4;

/** The connection to Temporal or PostgreSQL was lost while a verb was running. */
function isLostConnection(error: Error): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(cause)) return [UNAVAILABLE, DEADLINE_EXCEEDED].includes(cause.code);
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^(ECONN[A-Z]+|57P0[123]|08\d{3})$/.test(code);
}

function unexpected(error: Error): string {
  return `${error.name}: ${error.message}\nThis should not have happened. LOG_LEVEL=debug shows where it came from.`;
}
