import { createHash } from 'node:crypto';
import type {
  MigrationInput,
  MigrationSettings,
  SourceReading,
} from '../../contracts/migration.js';
import type { ImportOptions, Mapping } from '../../importers/index.js';
import type { FullCheck, FullRequest } from './request/schema.js';
import { timingOf, type TimedRequest } from './request/timing-settings.js';

/**
 * What the importer needs of a request.
 *
 * @param mapping content of the request's mapping file; null without one
 */
export function importOptions(request: FullRequest, mapping: Mapping | null): ImportOptions {
  const { channels, country, timezone, preset, smsColumn, consentedAt, historical } = request;
  const { operation, floor, moveFrom, attested, encoding } = request;
  return {
    moves: moveFrom !== null,
    channels,
    country,
    timezone,
    undated: request.undated ?? (historical ? 'reject' : 'subscribe'),
    preset,
    now: new Date(),
    consent: consentOf(request),
    operation: operation === 'add_to_list' ? null : operation,
    floor,
    consentedAt,
    mapping,
    ...(attested === null ? {} : { attested }),
    ...(smsColumn === null ? {} : { smsColumn }),
    ...(encoding === null ? {} : { encoding }),
  };
}

/**
 * What the ledger stores of a request for the activities.
 *
 * @param isUndo its source was written by `report --undo`
 */
export function migrationSettings(
  request: FullCheck,
  defaultSource: string,
  isUndo = false,
): MigrationSettings {
  const { listId, moveFrom, channels, optIn, historical } = request;
  const { smsCountries, smsWithoutSender } = request;
  const { mirror, absentIsNew, askAgainDays, unsubscribeFrom, quietHours } = request;
  return {
    listId,
    moveFrom,
    channels,
    expectedOptIn: optIn === null ? null : `${optIn}_opt_in`,
    historicalImport: historical,
    smsCountries,
    smsWithoutSender,
    stopOnUndated: historical && request.undated === null,
    customSource: request.customSource ?? defaultSource,
    consent: consentOf(request),
    canaryRows: request.pilot ?? request.canary?.rows ?? null,
    rowsPerJob: request.rowsPerJob,
    mirror,
    absentIsNew,
    askAgainDays,
    ...(quietHours === null ? {} : { quietHours }),
    unsubscribeFrom,
    isUndo,
  };
}

/** What the ledger stores of how a source is read, so that `since` compares only what was read alike. */
export function readingOf(options: ImportOptions, preset: string): SourceReading {
  const { mapping = null, smsColumn = null, country, timezone, undated } = options;
  const { consentedAt = null, operation = null, floor = null, attested = null } = options;
  const mapped = mapping && createHash('sha256').update(JSON.stringify(mapping)).digest('hex');
  return {
    preset,
    mapping: mapped,
    smsColumn,
    country,
    timezone,
    consentedAt,
    undated,
    operation,
    floor,
    // Left out otherwise, so that runs of an earlier version are still found.
    ...(attested === null ? {} : { attested }),
  };
}

/** What Klaviyo stores as the source of a consent if the operator gives none. */
export function defaultSource(preset: string, migrationId: string): string {
  return `consentry ${preset} ${migrationId}`;
}

function consentOf({ implicit, operation, moveFrom }: FullCheck): MigrationSettings['consent'] {
  return implicit || operation === 'add_to_list' || moveFrom !== null ? 'implicit' : 'explicit';
}

/** What keeps two runs apart that ask the same. */
export interface Apart {
  /** A run belongs to one program, with its proof of consent. */
  readonly program: string | null;
  /** Who wants to send must not wait for a run that sends nothing, nor the other way round. */
  readonly dryRun: boolean;
}

/** Two runs with the same hash are the same request: the second attaches to the first. */
export function requestHash(
  accountId: string,
  {
    sourceSha256,
    olderSha256,
  }: { readonly sourceSha256: string; readonly olderSha256: string | null },
  settings: MigrationSettings,
  options: ImportOptions,
  { program, dryRun }: Apart = { program: null, dryRun: false },
): string {
  // How people are read changes nothing that is asked for; whether it sends is added below.
  const { mirror: _mirror, absentIsNew: _absentIsNew, dryRun: _dryRun, ...same } = settings;
  const asked = {
    ...same,
    accountId,
    customSource: null,
    ...options,
    now: null,
    // Left out otherwise, so that running migrations of an earlier version are still found.
    ...(program === null ? {} : { program }),
    ...(dryRun ? { dryRun } : {}),
    ...(olderSha256 === null ? {} : { since: olderSha256 }),
  };
  const sorted = Object.entries(asked).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(sourceSha256).update(JSON.stringify(sorted)).digest('hex');
}

/** The settings that the workflow's input is made from. */
export type RunRequest = TimedRequest &
  Pick<FullRequest, 'jobsPerBatch' | 'dryRun' | 'approvalAbove' | 'pilot' | 'canary' | 'moveFrom'>;

/** The workflow's input: how the run goes, with nothing about people or lists. */
export function migrationInput(
  migrationId: string,
  request: RunRequest,
  rows: number,
): MigrationInput {
  const { dryRun, approvalAbove, pilot, canary, moveFrom } = request;
  return {
    migrationId,
    timing: timingOf(request),
    batchSize: request.jobsPerBatch,
    dryRun,
    ...(moveFrom === null ? {} : { moves: true }),
    waitsForApproval: !dryRun && approvalAbove !== null && rows > approvalAbove,
    canary:
      pilot !== null
        ? { waitMs: 0, thenStop: true }
        : canary && { waitMs: canary.waitMs, thenStop: false },
  };
}
