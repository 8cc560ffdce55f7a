import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  executeChild,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { OPEN_SEGMENTS } from '../contracts/limits.js';
import type { MigrationInput, Plan, Progress } from '../contracts/migration.js';
import { workflowIds } from '../contracts/names.js';
import { steps, sweeps } from './activity-options.js';
import { consentSegment } from './consent-segment.js';
import { renderDetails } from './details.js';
import { isCancelled, stopOf } from './stop.js';
import { pauseSignal, planQuery, progressQuery, resumeSignal } from './messages.js';
import { MigrationProgress } from './migration-progress.js';
import { readUntil } from './proof-reader.js';
import { accountAttributes, phaseAttributes } from './search-attributes.js';
import { segmentsOf } from './segments.js';

/**
 * Applies the intents of one migration: preflight, plan, submit, settle, report. It ends when
 * every row has an outcome that was read back.
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
  setHandler(progressQuery, () => progress.now(), { description: 'Counts by outcome and phase' });
  setHandler(planQuery, () => progress.plan, { description: 'What the run will do' });
  setHandler(pauseSignal, () => steer(true), { description: 'Submit nothing more until resume' });
  setHandler(resumeSignal, () => steer(false), { description: 'Go on submitting' });

  async function steer(paused: boolean): Promise<void> {
    progress.setPaused(paused);
    await steps.setPaused.executeWithOptions({ summary: paused ? 'pause' : 'resume' }, [
      { migrationId, paused },
    ]);
  }
  const enter = (phase: Progress['phase']) => {
    if (!progress.enter(phase)) return;
    upsertSearchAttributes(phaseAttributes(phase, progress.now()));
  };

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

    enter('submit');
    await runJobs(input, plan, progress, enter);
  } catch (error) {
    return CancellationScope.nonCancellable(() => stop(error));
  }

  return CancellationScope.nonCancellable(async () => {
    await condition(allHandlersFinished);
    enter('report');
    const totals = await steps.finishMigration.executeWithOptions({ summary: 'report' }, [
      { migrationId, phase: 'done', failure: null },
    ]);
    progress.count(totals);
    enter('done');
    return progress.now();
  });

  /** Ends the run as cancelled or failed, after every row got its outcome. */
  async function stop(error: unknown): Promise<never> {
    const { phase, failure, cause } = stopOf(error);
    await condition(allHandlersFinished);
    const totals = await steps.finishMigration.executeWithOptions({ summary: 'report' }, [
      { migrationId, phase, failure },
    ]);
    progress.count(totals);
    progress.fail(failure);
    enter(phase);
    throw cause;
  }
}

/** Runs the jobs in segments, beside the reader that proves their rows. */
async function runJobs(
  input: MigrationInput,
  plan: Plan,
  progress: MigrationProgress,
  enter: (phase: Progress['phase']) => void,
): Promise<void> {
  const { migrationId, timing } = input;
  const segments = segmentsOf(plan.jobs, input.segmentSize);
  let running = true;
  CancellationScope.current().cancelRequested.catch((error: unknown) => {
    if (!isCancelled(error)) throw error;
    if (running) enter('cancelling');
  });
  const reading = readUntil(migrationId, timing, () => !running, {
    totals(totals) {
      progress.count(totals);
      if (progress.allSubmitted()) enter('settle');
    },
    failure(message) {
      progress.warn(`Reading back stopped, rows are looked up at their deadline: ${message}`);
    },
  });
  try {
    for (let first = 0; first < segments.length; first += OPEN_SEGMENTS) {
      await Promise.all(
        segments.slice(first, first + OPEN_SEGMENTS).map((jobs, offset) => {
          const segment = first + offset + 1;
          return executeChild(consentSegment, {
            workflowId: workflowIds.segment(migrationId, segment),
            args: [{ migrationId, segment, jobs, totalJobs: plan.jobs.length, timing }],
            parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
            staticSummary: `segment ${segment} of ${segments.length}: ${jobs.length} jobs`,
          });
        }),
      );
    }
  } finally {
    running = false;
    await reading.stop();
  }
  // Jobs that had sent everything ended as usual; the run was cancelled all the same.
  if (CancellationScope.current().consideredCancelled) {
    throw new CancelledFailure('Migration cancelled');
  }
}
