import {
  allHandlersFinished,
  CancellationScope,
  condition,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { MigrationInput, Plan, Progress } from '../contracts/migration.js';
import { workflowIds } from '../contracts/names.js';
import type { Reason } from '../contracts/outcomes.js';
import { steps, sweeps } from './activity-options.js';
import { confirmationWatch } from './confirmation-watch.js';
import { renderDetails } from './details.js';
import { JobRunner } from './job-runner.js';
import {
  approveUpdate,
  pauseSignal,
  planQuery,
  progressQuery,
  resumeSignal,
  setShareUpdate,
} from './messages.js';
import { MigrationProgress } from './migration-progress.js';
import { accountAttributes, phaseAttributes } from './search-attributes.js';
import { stopOf } from './stop.js';

/**
 * Applies the intents of one migration: preflight, plan, approval, canary, submit, settle, report.
 * It ends when every row has an outcome that was read back; who has not clicked on a double opt-in
 * message by then is followed by a `confirmationWatch` that outlives it.
 *
 * Idempotency: one run a migration id; all that it did is in the ledger, which every step asks
 * before it does anything.
 * Cancel: nothing more is submitted, what Klaviyo has is settled, the report is written, and the
 * run ends Cancelled. A failure that a person has to mend stops it in the same way, as Failed.
 * Events: about 30 and some per turn of the reader; a segment has at most 9 a job.
 */
export async function consentMigration(input: MigrationInput): Promise<Progress> {
  const { migrationId } = input;
  const progress = new MigrationProgress(migrationId, (now, plan) => {
    setCurrentDetails(renderDetails(now, plan));
  });
  const enter = (phase: Progress['phase']) => {
    if (!progress.enter(phase)) return;
    upsertSearchAttributes(phaseAttributes(phase, progress.now()));
  };
  const approval = handleMessages(migrationId, progress);
  const runner = new JobRunner(input, progress, enter);

  try {
    enter('preflight');
    const preflight = await steps.preflight.executeWithOptions(
      { summary: 'key, list, opt-in process, SMS configuration' },
      [{ migrationId }],
    );
    upsertSearchAttributes(accountAttributes(preflight));

    enter('plan');
    await sweeps.readConsent.executeWithOptions({ summary: 'read the consent Klaviyo holds' }, [
      { migrationId },
    ]);
    const plan = await sweeps.planMigration.executeWithOptions(
      { summary: 'guard, split into jobs' },
      [{ migrationId }],
    );
    progress.planned(plan, preflight.warnings);
    if (input.dryRun) return await end('planned', 'dry_run');

    if (input.needsApproval) {
      await begin('approval');
      await approval.given;
    }
    if (input.canary !== null && plan.jobs.some(({ canary }) => canary)) {
      const { thenStop } = input.canary;
      await runCanary(plan, input.canary.waitMs);
      if (thenStop) return await end('done', 'not_in_pilot');
    }
    await begin('submit');
    await runner.run(plan.jobs.filter(({ canary }) => !canary));
  } catch (error) {
    return CancellationScope.nonCancellable(() => stop(error));
  }
  return end('done', 'cancelled_before_sending');

  /** A phase that lasts: the ledger is told as well. */
  async function begin(phase: 'approval' | 'canary' | 'submit'): Promise<void> {
    enter(phase);
    await steps.notePhase.executeWithOptions({ summary: phase }, [{ migrationId, phase }]);
  }

  /** The first rows alone: what follows is sent only if they ended as it was planned. */
  async function runCanary(plan: Plan, waitMs: number): Promise<void> {
    await begin('canary');
    await runner.run(plan.jobs.filter(({ canary }) => canary));
    await steps.judgeCanary.executeWithOptions({ summary: 'did the canary end as planned' }, [
      { migrationId },
    ]);
    if (waitMs > 0) await sleep(waitMs, { summary: 'wait after the canary' });
  }

  /** @param left why rows that were not sent were not */
  async function end(phase: 'done' | 'planned', left: Reason): Promise<Progress> {
    return CancellationScope.nonCancellable(async () => {
      await condition(allHandlersFinished);
      if (phase === 'done') enter('report');
      await finish(phase, null, left);
      await followPending();
      return progress.now();
    });
  }

  /** Ends the run as cancelled or failed, after every row got its outcome. */
  async function stop(error: unknown): Promise<never> {
    const { phase, failure, type, cause } = stopOf(error);
    await condition(allHandlersFinished);
    progress.fail(failure);
    await finish(phase, failure, reasonLeft(phase, type));
    if (phase === 'cancelled') await followPending();
    throw cause;
  }

  async function finish(
    phase: 'done' | 'planned' | 'cancelled' | 'failed',
    failure: string | null,
    left: Reason,
  ): Promise<void> {
    const totals = await steps.finishMigration.executeWithOptions({ summary: 'report' }, [
      { migrationId, phase, failure, unsent: left },
    ]);
    progress.count(totals);
    enter(phase);
  }

  /** People may click for days: a workflow of its own, so that this one can end. */
  async function followPending(): Promise<void> {
    const { watchForMs, watchFirstMs, watchLongestMs } = input.timing;
    const pending = progress.now().outcomes.pending_double_opt_in ?? 0;
    if (pending === 0 || watchForMs === 0) return;
    await startChild(confirmationWatch, {
      workflowId: workflowIds.watch(migrationId),
      args: [{ migrationId, timing: { watchForMs, watchFirstMs, watchLongestMs } }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${pending.toLocaleString('en-US')} rows wait for a click`,
    });
  }
}

/** Why the rows of a stopped run that were not sent were not. */
function reasonLeft(phase: 'cancelled' | 'failed', failureType: string | null): Reason {
  if (phase === 'cancelled') return 'cancelled_before_sending';
  return failureType === 'CanaryFailed' ? 'canary_failed' : 'migration_stopped';
}

/** What people may ask and tell a run. */
function handleMessages(
  migrationId: string,
  progress: MigrationProgress,
): { readonly given: Promise<void> } {
  let approved = false;
  setHandler(progressQuery, () => progress.now(), { description: 'Counts by outcome and phase' });
  setHandler(planQuery, () => progress.plan, { description: 'What the run will do' });
  setHandler(pauseSignal, () => steer(true), { description: 'Submit nothing more until resume' });
  setHandler(resumeSignal, () => steer(false), { description: 'Go on submitting' });
  setHandler(approveUpdate, () => void (approved = true), {
    description: 'Start sending what the plan says',
    validator: () => progress.mustWaitForApproval(),
  });
  setHandler(setShareUpdate, (share) => setShare(share), {
    description: 'Part of the account’s limits that the run may use, above 0 to 1',
    validator: (share) => {
      if (!(share > 0 && share <= 1)) {
        throw new RangeError(`The share must be above 0 and at most 1; got ${share}.`);
      }
    },
  });

  async function steer(paused: boolean): Promise<void> {
    progress.setPaused(paused);
    await steps.setPaused.executeWithOptions({ summary: paused ? 'pause' : 'resume' }, [
      { migrationId, paused },
    ]);
  }
  async function setShare(share: number): Promise<void> {
    await steps.setShare.executeWithOptions({ summary: `share of the limits: ${share}` }, [
      { migrationId, share },
    ]);
  }
  return {
    get given() {
      return condition(() => approved);
    },
  };
}
