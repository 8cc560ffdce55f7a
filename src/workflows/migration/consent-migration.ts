import {
  allHandlersFinished,
  ApplicationFailure,
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
import { steers, sweeps } from '../activity-options.js';
import { confirmationWatch } from './confirmation-watch.js';
import { renderDetails } from './details.js';
import { JobRunner } from './job-runner.js';
import { MigrationProgress } from './migration-progress.js';
import { optOutWatch } from '../opt-outs/opt-out-watch.js';
import { accountAttributes, phaseAttributes } from '../search-attributes.js';
import { handleMessages } from './steering.js';
import { SubmitWindow } from './submit-window.js';
import { worksFor } from '../run.js';
import { isCancelled, stopOf } from '../stop.js';

const TERMINATED = 'Its workflow was terminated, or never started. Nothing more was sent.';

/**
 * Applies the intents of one migration: preflight, plan, approval, canary, submit, settle, report.
 * It ends when every row has an outcome that was read back. Two workflows outlive it: a
 * `confirmationWatch` follows people who have not clicked in their double opt-in message, and an
 * `optOutWatch` follows people who opt out while what was sent may still be applied.
 *
 * Idempotency: one workflow per migration id. All that it did is in the ledger, which every step
 * checks first.
 * Cancel: it is recorded in the ledger first; from then on nothing more is submitted. What Klaviyo
 * has is settled, the report is written, and the run ends Cancelled. A failure that a person has to
 * fix stops it in the same way, as Failed.
 * Events: about 30, at most 15 per batch with its signal, six per turn of the reader (some thousand
 * turns a year), ten per pause. 100 million rows in full jobs and batches are 400 batches, all of
 * which may be open at once: at most 6,000 events, and 7,500 after a month of turns. No payload grows
 * with the rows. A batch has at most 9 per job.
 */
export async function consentMigration(input: MigrationInput): Promise<Progress> {
  const { migrationId } = input;
  worksFor({ kind: 'migration', id: migrationId });
  const progress = new MigrationProgress(migrationId, {
    onChange: (now, plan) => setCurrentDetails(renderDetails(now, plan)),
    onPhase: (phase, now) => upsertSearchAttributes(phaseAttributes(phase, now)),
  });
  const window = new SubmitWindow(input.batchSize);
  const { approved } = handleMessages(migrationId, progress, window);
  const cancelled = whenCancelled(async () => {
    progress.enter('cancelling');
    await stopSubmitting('cancelled_before_sending');
  });
  const runner = new JobRunner(input, progress, window, () => cancelled.requested());

  if (input.endsOnly === true) {
    const terminated = ApplicationFailure.nonRetryable(TERMINATED, 'MigrationTerminated');
    return CancellationScope.nonCancellable(() => stop(terminated));
  }
  try {
    progress.enter('preflight');
    const preflight = await sweeps.preflight.executeWithOptions(
      { summary: 'key, list, opt-in process, SMS configuration' },
      [{ migrationId }],
    );
    upsertSearchAttributes(accountAttributes(preflight));

    progress.enter('plan');
    await sweeps.readConsent.executeWithOptions({ summary: 'read the consent Klaviyo holds' }, [
      { migrationId, timing: input.timing },
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

  /** Begins a long phase, which is recorded in the ledger too. */
  async function begin(phase: 'approval' | 'canary' | 'submit'): Promise<void> {
    progress.enter(phase);
    await steers.notePhase.executeWithOptions({ summary: phase }, [{ migrationId, phase }]);
  }

  async function run(jobs: Plan['jobs'], isMoreToCome: boolean): Promise<void> {
    const [first, last] = stagesOf(jobs, input);
    await runStage(first, isMoreToCome || last.length > 0);
    if (last.length > 0) await runStage(last, isMoreToCome);
  }

  async function runStage(jobs: Plan['jobs'], isMoreToCome: boolean): Promise<void> {
    await runner.run(jobs, { isMoreToCome });
    if (cancelled.requested()) throw new CancelledFailure('Migration cancelled');
  }

  /** Sends only the first rows. The rest is sent only if they ended as planned. */
  async function runCanary(plan: Plan, waitMs: number): Promise<void> {
    await begin('canary');
    await run(
      plan.jobs.filter(({ canary }) => canary),
      true,
    );
    await steers.judgeCanary.executeWithOptions({ summary: 'did the canary end as planned' }, [
      { migrationId },
    ]);
    if (waitMs > 0) await sleep(waitMs, { summary: 'wait after the canary' });
  }

  /** A failure of a run that is being cancelled is only a warning. */
  function causeOf(error: unknown): unknown {
    if (!cancelled.requested() || isCancelled(error)) return error;
    progress.warn(`Failed while it was being cancelled: ${stopOf(error).failure ?? ''}`);
    return new CancelledFailure('Migration cancelled');
  }

  async function stopSubmitting(reason: Reason): Promise<void> {
    await steers.stopSubmitting.executeWithOptions({ summary: 'submit nothing more' }, [
      { migrationId, reason },
    ]);
  }

  /** @param left why the unsent rows were not sent */
  async function end(phase: 'done' | 'planned', left: Reason): Promise<Progress> {
    return CancellationScope.nonCancellable(async () => {
      if (phase === 'done') progress.enter('report');
      await conclude(phase, null, left);
      return progress.now();
    });
  }

  /** Ends the run as cancelled or failed, after every row has its outcome. */
  async function stop(error: unknown): Promise<never> {
    const { phase, failure, type, cause } = stopOf(error);
    const left = reasonLeft(phase, type);
    await stopSubmitting(left);
    progress.fail(failure);
    await conclude(phase, failure, left);
    throw cause;
  }

  /** Even if the run cannot finish, people who may be subscribed against an opt-out are watched. */
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
    const totals = await steers.finishMigration.executeWithOptions({ summary: 'report' }, [
      { migrationId, phase, failure },
    ]);
    progress.count(totals);
    // The end may overtake the signal that the key works again.
    progress.hold(null);
    progress.enter(phase);
  }

  /**
   * Settles rows of jobs that failed or that somebody terminated: they are still looked up at their
   * deadline, or settled without a look-up if none is possible any more.
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
      await sleep(waitMs, { summary: 'wait for the deadline of rows whose job has ended' });
    }
  }

  /** Starts the workflows that watch people for minutes or days, so that this one can end. */
  async function followPeople(): Promise<void> {
    const { timing, dryRun } = input;
    const { outcomes, accepted } = progress.now();
    const pending = outcomes.pending_double_opt_in ?? 0;
    if (accepted > 0) {
      await startChild(optOutWatch, {
        workflowId: workflowIds.optOutWatch(migrationId),
        args: [{ migrationId, timing }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: 'watch for opt-outs while what was sent may still be applied',
      });
    }
    // Also those whom an earlier run has asked: its own watch may be over. A dry run leaves nothing behind.
    if (pending > 0 && timing.watchForMs > 0 && !dryRun) {
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
 * Whoever is moved to another list is taken off the old one only after every job that adds people to
 * the new one has read back who is there.
 */
function stagesOf(
  jobs: Plan['jobs'],
  { moves }: Pick<MigrationInput, 'moves'>,
): readonly [Plan['jobs'], Plan['jobs']] {
  if (moves !== true) return [jobs, []];
  const leaves = ({ operation }: Plan['jobs'][number]) => operation === 'remove_from_list';
  return [jobs.filter((job) => !leaves(job)), jobs.filter(leaves)];
}

/**
 * Acts on a request to cancel the run before anything else does.
 *
 * @param act runs in a scope that cannot be cancelled
 */
function whenCancelled(act: () => Promise<void>): {
  readonly requested: () => boolean;
  /** Resolves when `act` has run, or at once without a request. */
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

/** Why the unsent rows of a stopped run were not sent. */
function reasonLeft(phase: Phase, failureType: string | null): Reason {
  if (phase === 'cancelled') return 'cancelled_before_sending';
  return failureType === 'CanaryFailed' ? 'canary_failed' : 'migration_stopped';
}
