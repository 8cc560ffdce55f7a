import {
  CancellationScope,
  CancelledFailure,
  condition,
  setCurrentDetails,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { JobInput, JobResult, OutcomeCounts } from '../../contracts/migration.js';
import { steps, submits } from '../activity-options.js';
import { resumedSignal, settledSignal } from '../messages.js';
import { worksFor } from '../run.js';
import { isCancelled } from '../stop.js';

/** A job that waits for the end of a pause asks again by itself after this, should no word reach it. */
const ASK_AGAIN = '1 day';

/**
 * Carries at most 1,000 intents of one operation: validates them, submits them, and waits until
 * each has an outcome that was read back or, at the deadline, is looked up one last time.
 *
 * Idempotency: the ledger knows what was sent, so a repeated step sends nothing twice. An answer
 * that got lost is settled by reading back before anything is sent again.
 * Stop: a run that is cancelled or has failed says so in the ledger, which is asked before every
 * call. What Klaviyo has is settled all the same, since an accepted call cannot be taken back.
 * Cancel of this job alone, or a failure: the same, and it ends Cancelled or Failed afterwards.
 * Events: some 25, 20 for every lost answer, a dozen for every pause and for every day of it.
 */
export async function consentJob(input: JobInput): Promise<JobResult> {
  const { migrationId, job, timing } = input;
  const { jobNumber } = job;
  worksFor({ kind: 'migration', id: migrationId });
  const words = hearWords();
  const step = (what: string) => setCurrentDetails(`Job ${jobNumber} of ${input.jobs}: ${what}`);

  let failure: Error | null = null;
  let waits = true;
  try {
    step(`checking ${job.rows} rows`);
    await untilSettled(words, async () => {
      await steps.validateJob.executeWithOptions(
        { summary: 'validate, SMS configuration, guard' },
        [{ migrationId, jobNumber, timing }],
      );
      step(`submitting ${job.rows} rows`);
      waits = await submit(input, words);
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    failure = error;
    waits = await CancellationScope.nonCancellable(() => stop(input, error));
  }

  return CancellationScope.nonCancellable(async () => {
    if (waits) {
      step('accepted by Klaviyo; waiting to read it back');
      await condition(() => words.outcomes !== null, job.settleWithinMs);
    }
    const outcomes = words.outcomes ?? (await lastLook(input));
    step('every row has an outcome');
    if (failure === null) return { jobNumber, outcomes };
    throw isCancelled(failure) ? new CancelledFailure(`Job ${jobNumber} cancelled`) : failure;
  });
}

/** What the job is told meanwhile. */
interface Words {
  /** How its rows ended, once all have. */
  outcomes: OutcomeCounts | null;
  /** How often it was told to ask again. */
  resumed: number;
}

function hearWords(): Words {
  const words: Words = { outcomes: null, resumed: 0 };
  setHandler(settledSignal, (counts) => {
    words.outcomes = counts;
  });
  setHandler(resumedSignal, () => {
    words.resumed += 1;
  });
  return words;
}

/** Ends `work` early where the rows are all settled meanwhile, as those of a run that was stopped. */
async function untilSettled(words: Words, work: () => Promise<void>): Promise<void> {
  const scope = new CancellationScope();
  const settled = condition(() => words.outcomes !== null).then(() => scope.cancel());
  // Cancelled with the job itself: then `work` is as well.
  settled.catch(() => undefined);
  try {
    await scope.run(work);
  } catch (error) {
    if (words.outcomes === null || !isCancelled(error)) throw error;
  }
}

/**
 * Submits until Klaviyo has or has refused every row, or the run is over.
 *
 * @returns whether there is anything to read back
 */
async function submit({ migrationId, job, timing }: JobInput, words: Words): Promise<boolean> {
  const { jobNumber } = job;
  for (let readBack: string | null = null; ;) {
    const { resumed } = words;
    const { state } = await submits.submitJob.executeWithOptions(
      { summary: `${readBack === null ? 'submit' : 'resend'} ${job.operation}, ${job.rows} rows` },
      [{ migrationId, jobNumber, readBack, timing }],
    );
    switch (state) {
      case 'sent':
        return true;
      case 'settled':
        return false;
      case 'stopped': {
        const { sent } = await steps.stopJob.executeWithOptions(
          { summary: 'end what was not sent' },
          [{ migrationId, jobNumber }],
        );
        return sent;
      }
      case 'paused':
        await condition(() => words.resumed > resumed, ASK_AGAIN);
        continue;
      case 'ambiguous': {
        await sleep(timing.lostAnswerWaitMs, { summary: 'answer lost: wait, then read back' });
        const read = await steps.settleJob.executeWithOptions(
          { summary: 'read back a lost answer' },
          [{ migrationId, jobNumber, final: false, timing }],
        );
        readBack = read.readBack;
      }
    }
  }
}

/**
 * After a failure the whole run submits nothing more; cancelled alone, this job does not.
 *
 * @returns whether there is anything to read back
 */
async function stop({ migrationId, job: { jobNumber } }: JobInput, error: Error): Promise<boolean> {
  if (!isCancelled(error)) {
    await steps.stopSubmitting.executeWithOptions({ summary: 'submit nothing more' }, [
      { migrationId, reason: 'migration_stopped' },
    ]);
  }
  const { sent } = await steps.stopJob.executeWithOptions({ summary: 'end what was not sent' }, [
    { migrationId, jobNumber },
  ]);
  return sent;
}

/** What can't be read back must not be sent either: a look-up that fails for good stops the run. */
async function lastLook(input: JobInput): Promise<OutcomeCounts> {
  const { migrationId, job, timing } = input;
  try {
    const { outcomes } = await steps.settleJob.executeWithOptions(
      { summary: 'look up what is still open' },
      [{ migrationId, jobNumber: job.jobNumber, final: true, timing }],
    );
    return outcomes;
  } catch (error) {
    if (error instanceof Error) await stop(input, error);
    throw error;
  }
}
