import {
  CancellationScope,
  CancelledFailure,
  condition,
  setCurrentDetails,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { JobInput, JobResult, OutcomeCounts } from '../../contracts/migration.js';
import { steers, steps, submits } from '../activity-options.js';
import { resumedSignal, settledSignal } from '../messages.js';
import { worksFor } from '../run.js';
import { isCancelled } from '../stop.js';

/** A job in a pause checks the ledger again after this, in case no signal arrives. */
const ASK_AGAIN = '1 day';

/**
 * Handles at most 1,000 intents of one operation: validates them, submits them, and waits until
 * each has an outcome that was read back. At the deadline it looks up the rest one last time.
 *
 * Idempotency: the ledger knows what was sent, so a repeated step sends nothing twice. A lost
 * answer is read back before anything is sent again.
 * Quiet hours: what would ask for a click by text waits for their end in a timer.
 * Stop: a cancelled or failed run records it in the ledger, which is checked before every call.
 * What Klaviyo has is still settled, since an accepted call cannot be taken back.
 * Cancel of only this job, or a failure: the same, and it ends Cancelled or Failed afterwards.
 * Events: some 25, plus 20 per lost answer, and a dozen per pause and per day of it.
 */
export async function consentJob(input: JobInput): Promise<JobResult> {
  const { migrationId, job, timing } = input;
  const { jobNumber } = job;
  worksFor({ kind: 'migration', id: migrationId });
  const received = receiveSignals();
  const step = (what: string) => setCurrentDetails(`Job ${jobNumber} of ${input.jobs}: ${what}`);

  let failure: Error | null = null;
  let waits = true;
  try {
    step(`checking ${job.rows} rows`);
    await untilSettled(received, async () => {
      await steps.validateJob.executeWithOptions(
        { summary: 'validate, SMS configuration, guard' },
        [{ migrationId, jobNumber, timing }],
      );
      step(`submitting ${job.rows} rows`);
      waits = await submit(input, received);
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    failure = error;
    waits = await CancellationScope.nonCancellable(() => stop(input, error));
  }

  return CancellationScope.nonCancellable(async () => {
    if (waits) {
      step('accepted by Klaviyo; waiting to read it back');
      await condition(() => received.outcomes !== null, job.settleWithinMs);
    }
    const outcomes = received.outcomes ?? (await lastLook(input));
    step('every row has an outcome');
    if (failure === null) return { jobNumber, outcomes };
    throw isCancelled(failure) ? new CancelledFailure(`Job ${jobNumber} cancelled`) : failure;
  });
}

/** The signals that the job received. */
interface Received {
  /** How its rows ended, once all have. */
  outcomes: OutcomeCounts | null;
  /** How often it was signalled to check the ledger again. */
  resumed: number;
}

function receiveSignals(): Received {
  const received: Received = { outcomes: null, resumed: 0 };
  setHandler(settledSignal, (counts) => {
    received.outcomes = counts;
  });
  setHandler(resumedSignal, () => {
    received.resumed += 1;
  });
  return received;
}

/** Ends `work` early if all rows are settled meanwhile, as in a stopped run. */
async function untilSettled(received: Received, work: () => Promise<void>): Promise<void> {
  const scope = new CancellationScope();
  const settled = condition(() => received.outcomes !== null).then(() => scope.cancel());
  // Rejected when the job itself is cancelled: then `work` is cancelled too.
  settled.catch(() => undefined);
  try {
    await scope.run(work);
  } catch (error) {
    if (received.outcomes === null || !isCancelled(error)) throw error;
  }
}

/**
 * Submits until Klaviyo has accepted or refused every row, or the run is stopped.
 *
 * @returns whether there is anything to read back
 */
async function submit(
  { migrationId, job, timing }: JobInput,
  received: Received,
): Promise<boolean> {
  const { jobNumber } = job;
  for (let readBack: string | null = null; ;) {
    const { resumed } = received;
    const { state, quiet } = await submits.submitJob.executeWithOptions(
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
          { summary: 'settle what was not sent' },
          [{ migrationId, jobNumber }],
        );
        return sent;
      }
      case 'paused':
        await condition(() => received.resumed > resumed, ASK_AGAIN);
        continue;
      case 'quiet': {
        // Consent is read again afterwards, since what was read is too old by then.
        const { hours = '', forMs = 0 } = quiet ?? {};
        const summary = `quiet hours, ${hours}: no text asks for a click`;
        setCurrentDetails(`Job ${jobNumber} waits for the end of ${summary}`);
        await condition(() => received.resumed > resumed, forMs, { summary });
        continue;
      }
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
 * After a failure the whole run submits nothing more; after a cancel, only this job.
 *
 * @returns whether there is anything to read back
 */
async function stop({ migrationId, job: { jobNumber } }: JobInput, error: Error): Promise<boolean> {
  if (!isCancelled(error)) {
    await steers.stopSubmitting.executeWithOptions({ summary: 'submit nothing more' }, [
      { migrationId, reason: 'migration_stopped' },
    ]);
  }
  const { sent } = await steps.stopJob.executeWithOptions({ summary: 'settle what was not sent' }, [
    { migrationId, jobNumber },
  ]);
  return sent;
}

/** What cannot be read back must not be sent: a permanent look-up failure stops the run. */
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
