import { CancelledFailure } from '@temporalio/common';
import type { Plan, Preflight, Progress, Totals } from '../../contracts/migration.js';
import { MESSAGES, workflowIds } from '../../contracts/names.js';
import {
  countTotals,
  countTransitions,
  finishRun,
  getMigration,
  getPlan,
  insertRun,
  listMigrations,
  noteStop,
  reportedParts,
  type MigrationSummary,
  type ReportedPart,
  type Transition,
} from '../../ledger/index.js';
import type { consentCheck } from '../../workflows/index.js';
import { newId } from '../ids.js';
import type { Reach } from '../reach.js';
import { resultOf } from '../stopped.js';
import { handleOf } from './handle.js';
import { readReport, readReportDetails, type Report, type ReportDetails } from './report.js';
import type { CheckRequest, MigrationRequest, RetryRequest } from './request/migration-request.js';
import { parseCheck } from './request/parse.js';
import { migrationSettings } from './settings.js';
import { retryFailed, startMigration, type StartedMigration } from './start.js';
import { setPaused, steer } from './steer.js';
import { watchMigration, type WatchOptions } from './watch.js';

/** Starts migrations, steers them, and tells how they stand and how they ended. */
export class Migrations {
  constructor(private readonly reach: Reach) {}

  /**
   * Reads the source into the ledger and starts its migration. Nothing is sent before the whole
   * source was read and the preflight passed.
   *
   * @param onRows told how many rows were read so far
   * @throws SourceError, SettingsError, NoWorkerError, LedgerUnavailableError
   */
  start(request: MigrationRequest, onRows?: (rows: number) => void): Promise<StartedMigration> {
    return startMigration(this.reach, request, onRows);
  }

  /**
   * Preflight alone: what a run with these settings would find. Sends nothing.
   *
   * @throws SettingsError, NoWorkerError, MigrationStoppedError where a run must not start
   */
  async check(asked: CheckRequest): Promise<Preflight> {
    const request = parseCheck(asked);
    const { accountId, taskQueue } = await this.reach.workersOf(request.account);
    const settings = migrationSettings(request, 'consentry check');
    const { db } = this.reach.ledger;
    const id = newId();
    await insertRun(db, { kind: 'check', id, accountId, requestHash: null }).execute();
    try {
      return await resultOf(
        this.reach.client.workflow.execute<typeof consentCheck>('consentCheck', {
          workflowId: workflowIds.check(id),
          taskQueue,
          args: [{ checkId: id, settings }],
          staticSummary: 'preflight only',
        }),
      );
    } finally {
      await finishRun(db, id);
    }
  }

  /** The state of a migration: from its workflow, or from the ledger where none answers. */
  async progress(id: string): Promise<Progress> {
    const migration = await getMigration(this.reach.ledger.db, id);
    if (migration.finishedAt === null) {
      const live = await handleOf(this.reach, id)
        .query<Progress>(MESSAGES.progress)
        .catch(() => null);
      // The ledger hears of a pause, a stop and a key that is refused before the workflow does.
      if (live !== null) return { ...live, paused: migration.paused, held: migration.held };
    }
    const totals = await countTotals(this.reach.ledger.db, id);
    return {
      migrationId: id,
      phase: migration.phase,
      paused: migration.paused,
      held: migration.held,
      ...totals,
      warnings: migration.preflight?.warnings ?? [],
      failure: migration.failure,
    };
  }

  /** What the run does; null until it is planned. */
  async plan(id: string): Promise<Plan | null> {
    return getPlan(this.reach.ledger.db, id);
  }

  /**
   * Waits for the end of a run.
   *
   * @param signal ends the waiting with an error; the run goes on
   * @returns its last progress, whose phase is `done` or `cancelled`
   * @throws MigrationStoppedError where a failure stopped it
   */
  async waitForEnd(id: string, signal?: AbortSignal): Promise<Progress> {
    const result = () => handleOf(this.reach, id).result();
    try {
      return await resultOf(
        signal === undefined ? result() : this.reach.client.withAbortSignal(signal, result),
      );
    } catch (error) {
      if (!(error instanceof CancelledFailure)) throw error;
      return this.progress(id);
    }
  }

  /**
   * Follows a run to its end.
   *
   * @returns its last progress; null where the signal stopped the watching
   * @throws MigrationStoppedError where a failure stopped the run
   */
  watch(id: string, options: WatchOptions): Promise<Progress | null> {
    return watchMigration(this, id, options);
  }

  /**
   * Submits nothing more, settles what Klaviyo has, writes the report, ends as cancelled. When this
   * returns no call is made any more but those on the wire.
   */
  async cancel(id: string): Promise<void> {
    await steer(this.reach, id, async (handle) => {
      await noteStop(this.reach.ledger.db, id, 'cancelled_before_sending');
      await handle.cancel();
    });
  }

  /** Submits nothing more until `resume`, from the moment in which this returns. */
  async pause(id: string): Promise<void> {
    await setPaused(this.reach, id, true);
  }

  async resume(id: string): Promise<void> {
    await setPaused(this.reach, id, false);
  }

  /** Lets a run start that waits for approval. @throws MigrationStoppedError */
  async approve(id: string): Promise<void> {
    await steer(this.reach, id, (handle) => handle.executeUpdate(MESSAGES.approve));
  }

  /** How much of the account's limits the run may use from now on, above 0 to 1. */
  async setShare(id: string, share: number): Promise<void> {
    await steer(this.reach, id, (handle) =>
      handle.executeUpdate(MESSAGES.setShare, { args: [share] }),
    );
  }

  /**
   * Starts a migration of what an ended one did not achieve: rows that were never seen, were not
   * sent, or that Klaviyo refused. The guard reads everybody's consent anew.
   *
   * @throws SettingsError
   * @throws MigrationStoppedError while the run goes on, or where nothing is left to retry
   */
  retryFailed(id: string, request: RetryRequest = {}): Promise<StartedMigration> {
    return retryFailed(this.reach, id, request);
  }

  /** Counts as the ledger has them now; one pass over the migration's rows. */
  totals(id: string): Promise<Totals> {
    return countTotals(this.reach.ledger.db, id);
  }

  /** Every channel of every row and how it ended, in the order of the source, a page at a time. */
  parts(id: string): AsyncGenerator<ReportedPart[]> {
    return reportedParts(this.reach.ledger.db, id);
  }

  report(id: string): Promise<Report> {
    return readReport(this.reach.ledger.db, id);
  }

  /** The report with outcomes over time, the first problems and the watch. */
  reportDetails(id: string): Promise<ReportDetails> {
    return readReportDetails(this.reach.ledger.db, this.reach.client, id);
  }

  /** What was sent, by consent before and after. */
  transitions(id: string): Promise<Transition[]> {
    return countTransitions(this.reach.ledger.db, id);
  }

  list(limit = 20): Promise<MigrationSummary[]> {
    return listMigrations(this.reach.ledger.db, limit);
  }
}
