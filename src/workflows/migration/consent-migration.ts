import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  ParentClosePolicy,
  setCurrentDetails,
  sleep,
  startChild,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { MigrationInput, Phase, Plan, Progress } from '../../contracts/migration.js';
import { workflowIds } from '../../contracts/names.js';
import type { Reason } from '../../contracts/outcomes.js';
import { steps, sweeps } from '../activity-options.js';
import { confirmationWatch } from './confirmation-watch.js';
import { renderDetails } from './details.js';
import { JobRunner } from './job-runner.js';
import { MigrationProgress } from './migration-progress.js';
import { optOutWatch } from '../opt-outs/opt-out-watch.js';
import { accountAttributes, phaseAttributes } from '../search-attributes.js';
import { handleMessages } from './steering.js';
import { worksFor } from '../run.js';
import { isCancelled, stopOf } from '../stop.js';

/**
 * Applies the intents of one migration: preflight, plan, approval, canary, submit, settle, report.
 * It ends when every row has an outcome that was read back. Who has not clicked on a double opt-in
 * message by then is followed by a `confirmationWatch` that outlives it, and who says no while what
 * was sent may still be applied by an `optOutWatch`.
 *
 * Idempotency: one run a migration id; all that it did is in the ledger, which every step asks
 * before it does anything.
 * Cancel: the ledger is told first, and submits nothing more from that moment on. What Klaviyo has is
 * settled, the report is written, and the run ends Cancelled. A failure that a person has to mend
 * stops it in the same way, as Failed.
 * Events: about 30, six a turn of the reader (some thousand turns a year), ten a pause; a batch has
 * at most 9 a job.
 */
export async function consentMigration(input: MigrationInput): Promise<Progress> {
  const { migrationId } = input;
  worksFor({ kind: 'migration', id: migrationId });
  const progress = new MigrationProgress(migrationId, {
    onChange: (now, plan) => setCurrentDetails(renderDetails(now, plan)),
    onPhase: (phase, now) => upsertSearchAttributes(phaseAttributes(phase, now)),
  });
  const { approved } = handleMessages(migrationId, progress);
  const cancelled = whenCancelled(async () => {
    progress.enter('cancelling');
    await stopSubmitting('cancelled_before_sending');
  });
  const runner = new JobRunner(input, progress, () => cancelled.requested());

  try {
    progress.enter('preflight');
    const preflight = await sweeps.preflight.executeWithOptions(
      { summary: 'key, list, opt-in process, SMS configuration' },
      [{ migrationId }],
    );
    upsertSearchAttributes(accountAttributes(preflight));

    progress.enter('plan');
    await sweeps.readConsent.executeWithOptions({ summary: 'read the consent Klaviyo holds' }, [
      { migrationId },
    ]);
    const plan = await sweeps.planMigration.executeWithOptions(
      { summary: 'guard, split into jobs' },
      [{ migrationId, timing: input.timing }],
    );
    progress.planned(plan, preflight.warnings);
    if (input.dryRun) return await end('planned', 'dry_run');

    if (input.waitsForApproval) {
      await begin('approval');
      await approved();
    }
    if (input.canary !== null && plan.jobs.some(({ canary }) => canary)) {
      const { thenStop } = input.canary;
      await runCanary(plan, input.canary.waitMs);
      if (thenStop) return await end('done', 'not_in_pilot');
    }
    await begin('submit');
    await run(
      plan.jobs.filter(({ canary }) => !canary),
      false,
    );
  } catch (error) {
    return CancellationScope.nonCancellable(() => stop(causeOf(error)));
  }
  return end('done', 'cancelled_before_sending');

  /** A phase that lasts: the ledger is told as well. */
  async function begin(phase: 'approval' | 'canary' | 'submit'): Promise<void> {
    progress.enter(phase);
    await steps.notePhase.executeWithOptions({ summary: phase }, [{ migrationId, phase }]);
  }

  async function run(jobs: Plan['jobs'], isMoreToCome: boolean): Promise<void> {
    await runner.run(jobs, { isMoreToCome });
    if (cancelled.requested()) throw new CancelledFailure('Migration cancelled');
  }

  /** The first rows alone: what follows is sent only if they ended as it was planned. */
  async function runCanary(plan: Plan, waitMs: number): Promise<void> {
    await begin('canary');
    await run(
      plan.jobs.filter(({ canary }) => canary),
      true,
    );
    await steps.judgeCanary.executeWithOptions({ summary: 'did the canary end as planned' }, [
      { migrationId },
    ]);
    if (waitMs > 0) await sleep(waitMs, { summary: 'wait after the canary' });
  }

  /** Of a run that is being cancelled a failure is no more than a warning. */
  function causeOf(error: unknown): unknown {
    if (!cancelled.requested() || isCancelled(error)) return error;
    progress.warn(`Failed while it was being cancelled: ${stopOf(error).failure ?? ''}`);
    return new CancelledFailure('Migration cancelled');
  }

  async function stopSubmitting(reason: Reason): Promise<void> {
    await sweeps.stopSubmitting.executeWithOptions({ summary: 'submit nothing more' }, [
      { migrationId, reason },
    ]);
  }

  /** @param left why rows that were not sent were not */
  async function end(phase: 'done' | 'planned', left: Reason): Promise<Progress> {
    return CancellationScope.nonCancellable(async () => {
      if (phase === 'done') progress.enter('report');
      await conclude(phase, null, left);
      return progress.now();
    });
  }

  /** Ends the run as cancelled or failed, after every row got its outcome. */
  async function stop(error: unknown): Promise<never> {
    const { phase, failure, type, cause } = stopOf(error);
    const left = reasonLeft(phase, type);
    await stopSubmitting(left);
    progress.fail(failure);
    await conclude(phase, failure, left);
    throw cause;
  }

  /** Whatever becomes of the run itself: who may be subscribed against a no is watched after it. */
  async function conclude(...how: Parameters<typeof finish>): Promise<void> {
    try {
      await finish(...how);
    } finally {
      await followPeople();
    }
  }

  async function finish(
    phase: 'done' | 'planned' | 'cancelled' | 'failed',
    failure: string | null,
    left: Reason,
  ): Promise<void> {
    await cancelled.handled();
    await settleLeft(left);
    await runner.close();
    await condition(allHandlersFinished);
    const totals = await sweeps.finishMigration.executeWithOptions({ summary: 'report' }, [
      { migrationId, phase, failure },
    ]);
    progress.count(totals);
    // Its end may overtake the word that the key works again.
    progress.hold(null);
    progress.enter(phase);
  }

  /**
   * Rows of jobs that somebody ended by force, or that failed: they are looked up at their deadline all
   * the same, or end without that where no look-up can be made any more.
   */
  async function settleLeft(unsent: Reason): Promise<void> {
    const { timing } = input;
    for (;;) {
      const { waitMs, unread } = await sweeps.settleLeft.executeWithOptions(
        { summary: 'every row has an outcome' },
        [{ migrationId, unsent, timing }],
      );
      if (unread !== null)
        progress.warn(`Rows could not be looked up at their deadline: ${unread}`);
      if (waitMs === 0) return;
      await sleep(waitMs, { summary: 'wait for the deadline of rows without their job' });
    }
  }

  /** What may happen to people for minutes or days: workflows of their own, so that this one can end. */
  async function followPeople(): Promise<void> {
    const { timing } = input;
    const { outcomes, accepted } = progress.now();
    const pending = outcomes.pending_double_opt_in ?? 0;
    if (accepted > 0) {
      await startChild(optOutWatch, {
        workflowId: workflowIds.optOutWatch(migrationId),
        args: [{ migrationId, timing }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: 'who says no while what was sent may still be applied',
      });
    }
    if (pending > 0 && timing.watchForMs > 0) {
      await startChild(confirmationWatch, {
        workflowId: workflowIds.watch(migrationId),
        args: [{ migrationId, timing }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `${pending.toLocaleString('en-US')} rows wait for a click`,
      });
    }
  }
}

/**
 * Hears that the run is to be cancelled, and acts on it before anything else does.
 *
 * @param act not cancellable
 */
function whenCancelled(act: () => Promise<void>): {
  readonly requested: () => boolean;
  /** Ends when what a request led to has been done. */
  readonly handled: () => Promise<void>;
} {
  let handling: Promise<void> | null = null;
  CancellationScope.current().cancelRequested.catch(() => {
    handling = CancellationScope.nonCancellable(act);
  });
  return {
    requested: () => handling !== null,
    handled: () => handling ?? Promise.resolve(),
  };
}

/** Why the rows of a stopped run that were not sent were not. */
function reasonLeft(phase: Phase, failureType: string | null): Reason {
  if (phase === 'cancelled') return 'cancelled_before_sending';
  return failureType === 'CanaryFailed' ? 'canary_failed' : 'migration_stopped';
}
