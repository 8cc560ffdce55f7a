import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { MigrationInput, OnlyGiven } from '../../contracts/migration.js';
import { workflowIds } from '../../contracts/names.js';
import {
  changedSince,
  openSource,
  readMapping,
  type ChangedSource,
  type Changes,
  type ImportedSource,
  type ImportOptions,
  type SegmentSource,
  type VanishedRow,
} from '../../importers/index.js';
import {
  AlreadyRunningError,
  countTotals,
  findRunningMigration,
  getMigration,
  setPhase,
  storeIntents,
  type NewMigration,
  type StoredWithIntents,
} from '../../ledger/index.js';
import type { consentMigration } from '../../workflows/index.js';
import { ids, newId } from '../ids.js';
import type { Reach } from '../reach.js';
import { handleOf } from './handle.js';
import { storeRetry } from './retry.js';
import type { MigrationRequest, RetryRequest } from './request/migration-request.js';
import { parseRequest, parseRetry } from './request/parse.js';
import type { FullRequest } from './request/schema.js';
import { NothingChangedError, openOlder, requireMigrated } from './since.js';
import {
  defaultSource,
  importOptions,
  migrationInput,
  migrationSettings,
  readingOf,
  requestHash,
} from './settings.js';

/** A migration that was started, or was running already. */
export interface StartedMigration {
  readonly id: string;
  /** Id of its workflow in Temporal. */
  readonly workflowId: string;
  /** Klaviyo's id of its account. */
  readonly accountId: string;
  /** True if the same source with the same settings was running already: nothing was started. */
  readonly attached: boolean;
  /** Rows of the source; with `since`, those that are run. */
  readonly rows: number;
  /** What changed since the older export; null without `since`, and if `attached`. */
  readonly since: Changes | null;
  /** Name of the preset that read the source; `mapping` if a mapping file did. */
  readonly preset: string;
  /** True if it sends nothing before `approve`. Always false if `attached`. */
  readonly waitsForApproval: boolean;
  /** What was assumed about the source, as sentences for a person; such as its encoding. */
  readonly notices: readonly string[];
}

/** Told about the sources while they are read. */
export interface OnReading {
  /** Gets the number of rows read so far; with `since`, of both exports. */
  readonly onRows?: ((rows: number) => void) | undefined;
  readonly onVanished?: ((rows: AsyncIterable<VanishedRow>) => Promise<void>) | undefined;
}

/**
 * @param program the program of a `consentry.yaml` that it runs
 * @param segment how the source is read if it says who is in a segment
 */
export async function startMigration(
  reach: Reach,
  asked: MigrationRequest,
  on: OnReading = {},
  program: string | null = null,
  segment: SegmentSource | null = null,
): Promise<StartedMigration> {
  const request = parseRequest(asked);
  const mapping = request.mapping === null ? null : await readMapping(request.mapping);
  const options = {
    ...importOptions(request, mapping),
    // Left out otherwise, so that running migrations of an earlier version are still found.
    ...(segment === null ? {} : { segment }),
  };
  const source = await openSource(request.file, options, request.query);
  try {
    const older = await openOlder(request, source, options);
    try {
      return await startFrom(reach, { source, older }, { request, options, program }, on);
    } finally {
      await older?.close();
    }
  } finally {
    await source.close();
  }
}

/** What is asked for the people of a source, and by what. */
export interface Asked {
  readonly request: FullRequest;
  readonly options: ImportOptions;
  readonly program: string | null;
  /** The run takes back what its program gave. */
  readonly onlyGiven?: OnlyGiven | undefined;
  /** Stores more rows than those of the source, together with them. */
  readonly storeMore?: ((migrationId: string) => StoredWithIntents) | undefined;
}

/** The people of a run; with an older export, only what has changed since. */
type Sources =
  | { readonly source: RunSource; readonly older: null }
  | { readonly source: ImportedSource; readonly older: ImportedSource | null };

/** Where the rows of a run come from. */
export type RunSource = Pick<
  ImportedSource,
  'name' | 'isUndo' | 'notices' | 'intents' | 'sha256'
> & {
  readonly preset: string;
};

/** Starts the migration of a source that is open. */
export async function startFrom(
  reach: Reach,
  sources: Sources,
  { request, options, program, onlyGiven, storeMore }: Asked,
  { onRows, onVanished }: OnReading = {},
): Promise<StartedMigration> {
  const { source, older } = sources;
  const id = newId();
  const { accountId, taskQueue } = await reach.workersOf(request.account);
  const settings = {
    ...migrationSettings(request, defaultSource(source.preset, id), source.isUndo),
    reading: readingOf(options, source.preset),
    ...(onlyGiven === undefined ? {} : { onlyGiven }),
    dryRun: request.dryRun,
  };
  const notices = [...source.notices, ...(sources.older?.notices ?? [])];
  const sourceSha256 = await source.sha256();
  const olderSha256 = (await older?.sha256()) ?? null;
  const hash = requestHash(accountId, { sourceSha256, olderSha256 }, settings, options, {
    program,
    dryRun: request.dryRun,
  });
  const attach = async (): Promise<StartedMigration | null> => {
    const running = await findRunning(reach, hash, request, taskQueue);
    if (running === null) return null;
    const { rows } = await countTotals(reach.ledger.db, running);
    return {
      ...ids(running),
      accountId,
      attached: true,
      rows,
      since: null,
      preset: source.preset,
      waitsForApproval: false,
      notices,
    };
  };
  const attached = await attach();
  if (attached !== null) return attached;
  let changed: ChangedSource | null = null;
  if (sources.older !== null) {
    const before = await requireMigrated(reach.ledger.db, sources.older, accountId, settings);
    changed = await changedSince(sources.source, sources.older, { before, onVanished, onRows });
    if (changed.changes.changed === 0) throw new NothingChangedError(changed.changes);
  }
  const migration: NewMigration = {
    id,
    accountId,
    sourceName: source.name,
    sourceSha256,
    preset: source.preset,
    settings,
    requestHash: hash,
    share: request.share,
    retryOf: null,
    program,
  };
  let rows: number;
  try {
    const { intents } = changed ?? source;
    rows = await storeIntents(
      reach.ledger,
      migration,
      intents,
      older === null ? onRows : undefined,
      storeMore?.(id),
    );
  } catch (error) {
    if (!(error instanceof AlreadyRunningError)) throw error;
    // Another process stored the same request a moment earlier.
    const other = await attach();
    if (other === null) throw error;
    return other;
  }
  const input = migrationInput(id, request, rows);
  await execute(reach, input, rows, taskQueue);
  const { waitsForApproval } = input;
  const { preset } = source;
  return {
    ...ids(id),
    accountId,
    attached: false,
    rows,
    since: changed?.changes ?? null,
    preset,
    waitsForApproval,
    notices,
  };
}

/** The running migration of the same request: see `ensureStarted`. */
async function findRunning(
  reach: Reach,
  hash: string,
  request: FullRequest,
  taskQueue: string,
): Promise<string | null> {
  const id = await findRunningMigration(reach.ledger.db, hash);
  return id !== null && (await ensureStarted(reach, id, request, taskQueue)) ? id : null;
}

/**
 * Starts a migration that was stored but never started, since its process died. One whose workflow has
 * ended, such as terminated, is closed in the ledger.
 *
 * @returns whether it runs
 */
export async function ensureStarted(
  reach: Reach,
  id: string,
  request: FullRequest,
  taskQueue: string,
): Promise<boolean> {
  try {
    const handle = handleOf(reach, id);
    const { status } = await handle.describe();
    if (status.name === 'RUNNING') {
      // One that was just cancelled before it sent anything ends at once: nobody waits for it.
      const { stopped } = await getMigration(reach.ledger.db, id);
      return !stopped || !(await hasEndedWithin(handle, STOPS_WITHIN_MS));
    }
    const failure = `Its workflow has ended as ${status.name.toLowerCase()}.`;
    await setPhase(reach.ledger.db, id, 'failed', failure);
    return false;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    const { rows } = await countTotals(reach.ledger.db, id);
    await execute(reach, migrationInput(id, request, rows), rows, taskQueue);
    return true;
  }
}

const STOPS_WITHIN_MS = 10_000;

async function hasEndedWithin(handle: ReturnType<typeof handleOf>, ms: number): Promise<boolean> {
  const left = new AbortController();
  const ended = handle.result().then(
    () => true,
    () => true,
  );
  const late = delay(ms, false, { signal: left.signal }).catch(() => false);
  try {
    return await Promise.race([ended, late]);
  } finally {
    left.abort();
  }
}

export async function execute(
  reach: Reach,
  input: MigrationInput,
  rows: number,
  taskQueue: string,
): Promise<void> {
  try {
    await reach.client.workflow.start<typeof consentMigration>('consentMigration', {
      workflowId: workflowIds.migration(input.migrationId),
      taskQueue,
      args: [input],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `${rows.toLocaleString('en-US')} rows`,
    });
  } catch (error) {
    await setPhase(
      reach.ledger.db,
      input.migrationId,
      'failed',
      'The workflow could not be started.',
    );
    throw error;
  }
}

export async function retryFailed(
  reach: Reach,
  id: string,
  asked: RetryRequest,
): Promise<StartedMigration> {
  const request = parseRetry(asked);
  const { accountId: of } = await getMigration(reach.ledger.db, id);
  const { accountId, taskQueue } = await reach.workersOf(of);
  const retry = await storeRetry(reach.ledger, id, request.smsCountries);
  const { historical, moveFrom, rows, preset } = retry;
  const asWhole = { ...request, historical, moveFrom, dryRun: false, pilot: null, canary: null };
  const input = migrationInput(retry.id, asWhole, rows);
  await execute(reach, input, rows, taskQueue);
  const { waitsForApproval } = input;
  return {
    ...ids(retry.id),
    accountId,
    attached: false,
    rows,
    since: null,
    preset,
    waitsForApproval,
    notices: [],
  };
}
