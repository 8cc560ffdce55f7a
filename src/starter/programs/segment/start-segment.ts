import { createHash } from 'node:crypto';
import type { MigrationSettings } from '../../../contracts/migration.js';
import type { SegmentDefinition, SegmentFound } from '../../../contracts/segments.js';
import { afterFormerRuns } from '../../../activities/segment/former-runs.js';
import { openSource, readMapping } from '../../../importers/index.js';
import { storeSegmentRun, type NewMigration } from '../../../ledger/index.js';
import { ids, newId } from '../../ids.js';
import type { FullRequest } from '../../migrations/request/schema.js';
import {
  defaultSource,
  migrationInput,
  migrationSettings,
  readingOf,
} from '../../migrations/settings.js';
import { execute, type StartedMigration } from '../../migrations/start.js';
import type { Reach } from '../../reach.js';
import { canonical } from '../apply/state.js';
import type { Program, SegmentProgram } from '../program.js';
import { importingOf } from '../request.js';

/** A run of a segment. */
export interface StartedSegment {
  readonly found: SegmentFound;
  /** Null if nothing is to be done for anybody. */
  readonly started: StartedMigration | null;
}

/** What is told while a run is started. */
export interface StartWatching {
  /** Called with the number of rows read so far. */
  readonly onRows?: (rows: number) => void;
  /** Called with who enters and leaves a segment, before anything is sent. */
  readonly onFound?: (found: SegmentFound) => void;
}

/** How a run of a segment is started. */
export interface SegmentStart {
  readonly request: FullRequest;
  /** A person said that more may enter or leave than the brakes allow. */
  readonly beyondBrakes: boolean;
}

/**
 * Compares a segment with its source, and starts the migration of the difference, if there is one.
 *
 * @throws SourceError, NoWorkerError; SegmentKeyError, SegmentAsksElseError, SegmentBrakedError,
 * SegmentIsRunningError, SegmentListError: then nothing was stored
 */
export async function startSegment(
  reach: Reach,
  program: Program,
  segment: SegmentProgram,
  { request, beyondBrakes }: SegmentStart,
  { onRows, onFound }: StartWatching = {},
): Promise<StartedSegment> {
  const id = newId();
  const { accountId, taskQueue } = await reach.workersOf(request.account);
  const mapping = request.mapping === null ? null : await readMapping(request.mapping);
  const importing = importingOf(program, request, mapping);
  const source = await openSource(request.file, importing, request.query);
  const { dryRun } = request;
  try {
    const definition = definitionOf(program, segment, accountId, request);
    const migration: NewMigration = {
      id,
      accountId,
      sourceName: source.name,
      sourceSha256: await source.sha256(),
      preset: source.preset,
      settings: {
        ...settingsOfRuns(segment, request, defaultSource(source.preset, id)),
        reading: readingOf(importing, source.preset),
        dryRun,
      },
      requestHash: hashOf('a run of a segment', accountId, program.name, dryRun),
      share: request.share,
      retryOf: null,
      program: program.name,
    };
    const how = {
      dryRun,
      approved: beyondBrakes ? ('anything' as const) : null,
      runId: null,
      after: null,
    };
    const { ledger } = reach;
    const { intents, preset } = source;
    const store = () => storeSegmentRun(ledger, definition, migration, intents, how, onRows);
    const { migrationId: _, ...ending } = migrationInput(id, request, 0);
    const at = { client: reach.client, ledger, taskQueue };
    const { found, rows } = await afterFormerRuns(at, ending, store);
    onFound?.(found);
    if (rows === 0) return { found, started: null };
    const input = migrationInput(id, request, rows);
    await execute(reach, input, rows, taskQueue);
    const { waitsForApproval } = input;
    const { notices } = source;
    const as = { accountId, attached: false, rows, since: null, preset, waitsForApproval, notices };
    return { found, started: { ...ids(id), ...as } };
  } finally {
    await source.close();
  }
}

/** The settings of the migrations of a segment, besides how its source is read. */
export function settingsOfRuns(
  { existingOnly }: SegmentProgram,
  request: FullRequest,
  customSource: string,
): MigrationSettings {
  return {
    ...migrationSettings(request, customSource),
    ...(existingOnly ? { existingOnly: true as const } : {}),
  };
}

/** What a segment is, as a file says it. */
export function definitionOf(
  { name: program, source, channels, askAgainDays }: Program,
  { key, leave, brakes }: SegmentProgram,
  accountId: string,
  { listId }: FullRequest,
): SegmentDefinition {
  return {
    accountId,
    program,
    hash: hashOf(canonical(source), key),
    channels: channels.value,
    listId,
    askAgainDays: askAgainDays.value,
    key,
    leave,
    brakes,
  };
}

function hashOf(...of: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(of)).digest('hex');
}
