import { createHash } from 'node:crypto';
import { activityInfo, getClient } from '@temporalio/activity';
import type {
  ActivationState,
  ActivationStep,
  Approved,
  Comparison,
} from '../../contracts/activation.js';
import type { SegmentDefinition, SegmentFound } from '../../contracts/segments.js';
import { openSource, type ImportedSource, type ImportOptions } from '../../importers/index.js';
import {
  beginSegmentRun,
  countTotals,
  getActivation,
  getSegmentRun,
  noteSegmentRun,
  SegmentBrakedError,
  storeSegmentRun,
  type Activation,
  type NewMigration,
} from '../../ledger/index.js';
import type { SegmentDependencies } from '../dependencies.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { afterFormerRuns } from './former-runs.js';

/** The steps of a run of a segment around its migration. */
export function createCompareSegment(deps: SegmentDependencies) {
  const { ledger } = deps;
  return {
    /**
     * Compares a segment with its source, and stores the migration of the difference. If it was done before,
     * it says what it found then.
     *
     * @throws SegmentIsRunningError if another run of the program works
     */
    async compareSegment({
      account,
      program,
      runId,
      workflowId,
      migrationId,
      approved,
      after,
    }: ActivationStep & {
      readonly workflowId: string;
      readonly migrationId: string;
      readonly approved: Approved | null;
      /** Generation of the last comparison that the workflow knows of. */
      readonly after: number | null;
    }): Promise<Comparison> {
      return whileHeartbeating(async (signal) => {
        const { db } = ledger;
        const activation = await getActivation(db, account, program);
        await beginSegmentRun(db, { id: runId, segment: activation.number, workflowId });
        const { input } = activation.settings;
        const settings = hashOf(activation);
        const before = await getSegmentRun(db, runId);
        const { found = null, generation = null } = before ?? {};
        // Its comparison was stored by an attempt whose answer was lost.
        if (before !== null && found !== null && generation !== null) {
          const rows =
            before.migrationId === null ? 0 : (await countTotals(db, before.migrationId)).rows;
          return { found, braked: null, rows, generation, input, settings };
        }
        const source = await openSourceOf(deps, activation);
        try {
          const migration = migrationOf(activation, source, migrationId, await source.sha256());
          // What was approved is what other settings had found.
          const isSame = approved?.settings === settings;
          const how = { dryRun: false, approved: isSame ? approved : null, runId, after };
          const { definition } = activation.settings;
          const of: SegmentDefinition = {
            ...definition,
            accountId: activation.accountId,
            program: activation.program,
          };
          const { taskQueue } = activityInfo();
          const at = { client: getClient(), ledger, taskQueue };
          const compared = await afterFormerRuns(at, input, () =>
            storeSegmentRun(ledger, of, migration, untilAborted(source.intents, signal), how),
          );
          return { ...compared, braked: null, input, settings };
        } catch (error) {
          if (!(error instanceof SegmentBrakedError)) throw error;
          const { found, message: braked } = error;
          return { found, braked, rows: 0, generation: null, input, settings };
        } finally {
          await source.close();
        }
      });
    },

    /** Notes that a run waits, with what it found, or how it ended. */
    async noteActivation({
      runId,
      state,
      found,
      why,
    }: ActivationStep & {
      readonly state: ActivationState;
      readonly found: SegmentFound | null;
      readonly why: string | null;
    }): Promise<void> {
      await noteSegmentRun(ledger.db, runId, state, { found, why, isOver: state !== 'braked' });
    },
  };
}

/** Of what a run does, besides when and with what share of the limits. */
function hashOf({ settings: { source, importing, definition, migration } }: Activation): string {
  const text = JSON.stringify([source, importing, definition, migration]);
  return createHash('sha256').update(text).digest('hex');
}

/** A comparison that was cancelled reads no more, and stores nothing. */
async function* untilAborted<T>(batches: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const batch of batches) {
    signal.throwIfAborted();
    yield batch;
  }
  signal.throwIfAborted();
}

async function openSourceOf(
  deps: SegmentDependencies,
  { settings: { source, importing } }: Activation,
): Promise<ImportedSource> {
  const options = { ...importing, now: new Date() } as unknown as ImportOptions;
  if (source.from === 'file') return openSource(source.path, options);
  return openSource(await deps.addressOf(source.url), options, source.query);
}

function migrationOf(
  { accountId, program, settings }: Activation,
  { name, preset }: ImportedSource,
  id: string,
  sha256: string,
): NewMigration {
  const { migration, share } = settings;
  return {
    id,
    accountId,
    sourceName: name,
    sourceSha256: sha256,
    preset,
    settings: {
      ...migration,
      customSource: migration.customSource ?? `consentry ${preset} ${id}`,
    },
    requestHash: `a run of a segment ${accountId} ${program}`,
    share,
    retryOf: null,
    program,
  };
}
