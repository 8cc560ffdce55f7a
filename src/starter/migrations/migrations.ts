import { CancelledFailure } from '@temporalio/common';
import type { Plan, Preflight, Progress, Totals } from '../../contracts/migration.js';
import { MESSAGES } from '../../contracts/names.js';
import {
  countTotals,
  countTransitions,
  getMigration,
  getPlan,
  listMigrations,
  noteStop,
  reportedParts,
  type MigrationSummary,
  type ReportedPart,
  type Transition,
} from '../../ledger/index.js';
import type { VanishedRow } from '../../importers/index.js';
import type { Reach } from '../reach.js';
import { resultOf } from '../stopped.js';
import { checkRequest } from './check.js';
import { handleOf } from './handle.js';
import { readReport, readReportDetails, type Report, type ReportDetails } from './report.js';
import type { CheckRequest, MigrationRequest, RetryRequest } from './request/migration-request.js';
import { parseCheck } from './request/parse.js';
import { retryFailed, startMigration, type StartedMigration } from './start.js';
import { setPaused, steer } from './steer.js';
import { watchMigration, type WatchOptions } from './watch.js';

/**
 * Starts migrations, steers them, and says how far they are and how they ended.
 *
 * Every method that takes an id throws `MigrationNotFoundError` if the ledger has no such migration,
 * unless it says otherwise. Pausing, cancelling, approving and setting the share throw
 * `MigrationStoppedError` if the run has ended.
 */
export class Migrations {
  constructor(private readonly reach: Reach) {}

  /**
   * Reads the source into the ledger and starts its migration. Nothing is sent before the whole
   * source is read and the preflight has passed.
   *
   * With `since`, it reads the older export too, and stores only the rows that are new or have changed.
   *
   * @param onRows called with the number of rows read so far, with `since` of both exports
   * @param onVanished with `since`, gets the people of the older export whom the newer one does not have,
   *   before anything is stored; they are not opted out
   * @example
   * const started = await consentry.migrations.start(
   *   { file: 'subscribed.csv', listId: 'Y6nRLr', optIn: 'double', approvalAbove: 1_000 },
   *   (rows) => console.log(`${rows} rows read`),
   * );
   * if (started.waitsForApproval) console.log(`approve ${started.id} to send`);
   *
   * @throws NothingChangedError with `since`, if there is nothing to run: nothing was started
   * @throws SettingsError if the request is wrong, or does not say which of several accounts it is for
   * @throws SourceError if the source cannot be read, or no migration has run all of the older export
   * @throws NoWorkerError if no worker of the account shows up within a few seconds
   */
  start(
    request: MigrationRequest,
    onRows?: (rows: number) => void,
    onVanished?: (rows: AsyncIterable<VanishedRow>) => Promise<void>,
  ): Promise<StartedMigration> {
    return startMigration(this.reach, request, { onRows, onVanished });
  }

  /**
   * Runs the preflight alone: key, list, opt-in process and SMS set-up. Sends nothing.
   *
   * @example
   * const { optInProcess, warnings } = await consentry.migrations.check({ listId: 'Y6nRLr' });
   *
   * @throws SettingsError, NoWorkerError
   * @throws MigrationStoppedError if a run with these settings must not start
   */
  async check(asked: CheckRequest): Promise<Preflight> {
    const { listId: _, ...preflight } = await checkRequest(this.reach, parseCheck(asked));
    return preflight;
  }

  /**
   * The state of a migration, in counts: from its workflow, or from the ledger if no worker answers.
   *
   * @example
   * const { phase, rows, outcomes } = await consentry.migrations.progress(id);
   * console.log(phase, `${outcomes.confirmed ?? 0} of ${rows} confirmed`);
   */
  async progress(id: string): Promise<Progress> {
    const migration = await getMigration(this.reach.ledger.db, id);
    if (migration.finishedAt === null) {
      const live = await handleOf(this.reach, id)
        .query<Progress>(MESSAGES.progress)
        .catch(() => null);
      // The ledger knows of a pause, a stop and a refused key before the workflow does.
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

  /**
   * What the run will send; null until it is planned.
   *
   * @example
   * const plan = await consentry.migrations.plan(id);
   * console.log(plan?.toSend, plan?.doubleOptInMessages);
   */
  async plan(id: string): Promise<Plan | null> {
    return getPlan(this.reach.ledger.db, id);
  }

  /**
   * Waits until a run ends, without a time limit.
   *
   * @param signal aborts the wait, which then rejects; the run goes on
   * @returns its last progress, with the phase `done`, `planned` (a dry run) or `cancelled`
   * @example
   * const { phase, outcomes } = await consentry.migrations.waitForEnd(id);
   *
   * @throws MigrationStoppedError if a failure stopped the run
   * @throws WorkflowNotFoundError, of `@temporalio/client`, for an unknown id
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
   * @returns its last progress; null if the signal ended the watching
   * @example
   * await consentry.migrations.watch(id, {
   *   everyMs: 2_000,
   *   onPlan: (plan) => console.log(plan.toSend),
   *   onProgress: ({ phase, outcomes }) => console.log(phase, outcomes),
   * });
   *
   * @throws MigrationStoppedError if a failure stopped the run
   */
  watch(id: string, options: WatchOptions): Promise<Progress | null> {
    return watchMigration(this, id, options);
  }

  /**
   * Ends a run as `cancelled`. It submits nothing more, settles what Klaviyo already has, and writes its
   * report. When this returns, no new call is made; calls that are under way finish.
   *
   * @example
   * await consentry.migrations.cancel(id);
   * await consentry.migrations.waitForEnd(id);
   */
  async cancel(id: string): Promise<void> {
    await steer(this.reach, id, async (handle) => {
      await noteStop(this.reach.ledger.db, id, 'cancelled_before_sending');
      await handle.cancel();
    });
  }

  /**
   * Pauses a run: once this returns, it submits nothing more until `resume`.
   *
   * @example
   * await consentry.migrations.pause(id);
   */
  async pause(id: string): Promise<void> {
    await setPaused(this.reach, id, true);
  }

  /**
   * Lets a paused run go on.
   *
   * @example
   * await consentry.migrations.resume(id);
   */
  async resume(id: string): Promise<void> {
    await setPaused(this.reach, id, false);
  }

  /**
   * Approves a run that waits for it: it starts to send.
   *
   * @example
   * const { phase } = await consentry.migrations.progress(id); if (phase === 'approval') await consentry.migrations.approve(id);
   *
   * @throws MigrationStoppedError also if the run does not wait for approval, or not yet
   */
  async approve(id: string): Promise<void> {
    await steer(this.reach, id, (handle) => handle.executeUpdate(MESSAGES.approve));
  }

  /**
   * Sets how much of the account's limits the run may use from now on.
   *
   * @param share above 0 and at most 1
   * @example
   * await consentry.migrations.setShare(id, 0.25);
   *
   * @throws MigrationStoppedError also if the share is out of range
   */
  async setShare(id: string, share: number): Promise<void> {
    await steer(this.reach, id, (handle) =>
      handle.executeUpdate(MESSAGES.setShare, { args: [share] }),
    );
  }

  /**
   * Starts a new migration of what an ended one did not achieve: rows that are unconfirmed, were not
   * sent, or that Klaviyo refused. The guard reads everybody's consent again.
   *
   * @example
   * const retry = await consentry.migrations.retryFailed(id, { smsCountries: ['US', 'CA'] });
   *
   * @throws SettingsError, NoWorkerError
   * @throws MigrationStoppedError if the run or a retry of it has not ended, or no row is left to retry
   */
  retryFailed(id: string, request: RetryRequest = {}): Promise<StartedMigration> {
    return retryFailed(this.reach, id, request);
  }

  /**
   * Rows and jobs as the ledger counts them now; reads every row of the migration. Zeros for an unknown id.
   *
   * @example
   * const { rows, accepted, jobs } = await consentry.migrations.totals(id);
   */
  totals(id: string): Promise<Totals> {
    return countTotals(this.reach.ledger.db, id);
  }

  /**
   * Every channel of every row and how it ended, in the order of the source, in pages. No page for an
   * unknown id.
   *
   * @example
   * for await (const page of consentry.migrations.parts(id)) {
   *   for (const { line, channel, outcome, reason } of page) console.log(line, channel, outcome, reason);
   * }
   */
  parts(id: string): AsyncGenerator<ReportedPart[]> {
    return reportedParts(this.reach.ledger.db, id);
  }

  /**
   * The report of a migration, at its end or so far.
   *
   * @example
   * const { outcomes, open, reads } = await consentry.migrations.report(id);
   */
  report(id: string): Promise<Report> {
    return readReport(this.reach.ledger.db, id);
  }

  /**
   * The report, outcomes over time, the first problems and the state of the watch.
   *
   * @example
   * const { report, problems, watch } = await consentry.migrations.reportDetails(id);
   */
  reportDetails(id: string): Promise<ReportDetails> {
    return readReportDetails(this.reach.ledger.db, this.reach.client, id);
  }

  /**
   * Counts of the parts that were sent, by consent before and after. Empty for an unknown id.
   *
   * @example
   * for (const { channel, before, consentAfter, parts } of await consentry.migrations.transitions(id)) {
   *   console.log(channel, before, '->', consentAfter, parts);
   * }
   */
  transitions(id: string): Promise<Transition[]> {
    return countTransitions(this.reach.ledger.db, id);
  }

  /**
   * The newest migrations, newest first.
   *
   * @param limit at most this many
   * @example
   * const [newest] = await consentry.migrations.list(1);
   */
  list(limit = 20): Promise<MigrationSummary[]> {
    return listMigrations(this.reach.ledger.db, limit);
  }
}
