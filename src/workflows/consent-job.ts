import {
  CancellationScope,
  CancelledFailure,
  condition,
  setCurrentDetails,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { Operation } from '../contracts/channels.js';
import type {
  JobInput,
  JobResult,
  MigrationTiming,
  OutcomeCounts,
} from '../contracts/migration.js';
import { steps, submits } from './activity-options.js';
import { settledSignal } from './messages.js';
import { isCancelled } from './stop.js';

/**
 * Carries at most 1,000 intents of one operation: validates them, submits them, and waits until
 * each has an outcome that was read back or, at the deadline, is looked up one last time.
 *
 * Idempotency: the ledger knows what was sent, so a repeated step sends nothing twice. An answer
 * that got lost is settled by reading back before anything is sent again.
 * Cancel: before the submit its rows end `cancelled`; after it the job settles what Klaviyo has,
 * since an accepted job cannot be taken back.
 * Events: at most 40, however long it waits.
 */
export async function consentJob(input: JobInput): Promise<JobResult> {
  const { migrationId, job, timing } = input;
  const { jobNumber } = job;
  let outcomes: OutcomeCounts | null = null;
  setHandler(settledSignal, (counts) => {
    outcomes = counts;
  });
  const step = (what: string) => setCurrentDetails(`Job ${jobNumber} of ${input.jobs}: ${what}`);

  let sent: boolean;
  try {
    step(`checking ${job.rows} rows`);
    await steps.validateJob.executeWithOptions({ summary: 'validate, SMS configuration, guard' }, [
      { migrationId, jobNumber, consentMaxAgeMs: timing.consentMaxAgeMs },
    ]);
    step(`submitting ${job.rows} rows`);
    sent = await submit(input);
  } catch (error) {
    if (!isCancelled(error)) throw error;
    const cancelled = await CancellationScope.nonCancellable(() =>
      steps.cancelJob.executeWithOptions({ summary: 'cancel what was not sent' }, [
        { migrationId, jobNumber },
      ]),
    );
    if (!cancelled.sent) throw new CancelledFailure('Cancelled before anything was sent');
    sent = true;
  }

  return CancellationScope.nonCancellable(async () => {
    if (sent) {
      step('accepted by Klaviyo; waiting to read it back');
      await condition(() => outcomes !== null, deadlineOf(job.operation, timing));
    }
    outcomes ??= await steps.settleJob.executeWithOptions(
      { summary: 'look up what is still open' },
      [{ migrationId, jobNumber, final: true }],
    );
    step('every row has an outcome');
    return { jobNumber, outcomes };
  });
}

/** How long Klaviyo is given to show what it accepted. */
function deadlineOf(operation: Operation, timing: MigrationTiming): number {
  if (operation === 'suppress') return timing.suppressionWithinMs;
  return operation === 'add_to_list' ? timing.membershipWithinMs : timing.confirmWithinMs;
}

/**
 * Submits until Klaviyo surely has every row that it does not refuse.
 *
 * @returns whether it has any
 */
async function submit({ migrationId, job, timing }: JobInput): Promise<boolean> {
  const { jobNumber } = job;
  for (let resend = false; ; resend = true) {
    const { state } = await submits.submitJob.executeWithOptions(
      { summary: `${resend ? 'resend' : 'submit'} ${job.operation}, ${job.rows} rows` },
      [{ migrationId, jobNumber, resend, consentMaxAgeMs: timing.consentMaxAgeMs }],
    );
    if (state !== 'ambiguous') return state === 'accepted';
    await sleep(timing.ambiguousWaitMs, { summary: 'answer lost: wait, then read back' });
    await steps.settleJob.executeWithOptions({ summary: 'read back a lost answer' }, [
      { migrationId, jobNumber, final: false },
    ]);
  }
}
